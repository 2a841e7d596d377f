import type { Keeping, RelayEvent } from '../../kernel/relay.ts';
import type { Importance } from './outbox.ts';
import { isObject, textOf } from './client-message.ts';

type Payload = Readonly<Record<string, unknown>>;

/** Larger events are handed on and not kept; whoever was away is told of a gap. */
const MOST_KEPT_BYTES = 256 * 1024;

/** Each is one of many pieces, and a later event says what they came to. */
const PIECES: ReadonlySet<string> = new Set(['job:response-appended', 'terminal:output']);

/** A newer one says all that an older one of the same job did. */
const SUPERSEDING: ReadonlySet<string> = new Set(['job:stream-progress', 'job:tokens-updated', 'job:cost-updated']);

/** Jobs in one of these states are being worked on. */
const ACTIVE: ReadonlySet<unknown> = new Set([
  'created',
  'queued',
  'acknowledged_by_worker',
  'preparing',
  'preparing_input',
  'generating_stream',
  'processing_stream',
  'running',
]);

/** How much it matters that a device gets an event. */
export const importanceOf = (eventType: string): Importance =>
  PIECES.has(eventType) || SUPERSEDING.has(eventType) ? 'droppable' : 'event';

/** Events of the same key of which only the latest has to arrive; undefined: all have to. */
export const latestOf = ({ eventType, payload }: Pick<RelayEvent, 'eventType' | 'payload'>): string | undefined => {
  if (!isObject(payload)) return undefined;
  if (SUPERSEDING.has(eventType)) return JSON.stringify([eventType, payload['jobId']]);
  if (eventType === 'history-state-changed') return JSON.stringify([eventType, payload['sessionId'], payload['kind']]);
  if (eventType === 'device-status') return JSON.stringify([eventType, payload['deviceId']]);
  if (eventType === 'active-session-changed') return eventType;
  return undefined;
};

/** How an event is kept for those who are away. `bytes` is the size of its frame. */
export const keepingOf = (event: Pick<RelayEvent, 'eventType' | 'payload'>, bytes: number): Keeping => {
  if (PIECES.has(event.eventType)) return { how: 'forget' };
  if (bytes > MOST_KEPT_BYTES) return { how: 'miss' };
  const replaces = latestOf(event);
  return replaces === undefined ? { how: 'keep' } : { how: 'keep', replaces };
};

/** What the others take from the server alone. */
const SERVERS_OWN: ReadonlySet<string> = new Set(['device-status', 'device-unlinked', 'event-replay-gap']);

/** What is wrong with an event of a client; undefined when nothing is. */
export const eventFault = (eventType: string, payload: unknown): string | undefined => {
  if (SERVERS_OWN.has(eventType)) return 'only the server says this';
  if (!eventType.startsWith('job:')) return undefined;
  if (!isObject(payload)) return `${eventType} needs an object as its payload`;
  const missing = ['jobId', 'sessionId'].filter((name) => textOf(payload, name) === undefined);
  return missing.length === 0 ? undefined : `the payload of ${eventType} needs ${missing.join(' and ')}`;
};

const directoryIn = (payload: Payload): string | undefined =>
  textOf(payload, 'projectDirectory') ??
  (isObject(payload['job']) ? textOf(payload['job'], 'projectDirectory') : undefined);

/** The session that a job's event shows to be worked in; undefined when it shows none. */
export const activeSessionIn = (
  eventType: string,
  payload: unknown,
): Readonly<{ sessionId: string; projectDirectory?: string }> | undefined => {
  if (!isObject(payload)) return undefined;
  const sessionId =
    eventType === 'job:created'
      ? ((isObject(payload['job']) ? textOf(payload['job'], 'sessionId') : undefined) ?? textOf(payload, 'sessionId'))
      : eventType === 'job:status-changed' && ACTIVE.has(payload['status'])
        ? textOf(payload, 'sessionId')
        : undefined;
  if (sessionId === undefined) return undefined;
  const projectDirectory = directoryIn(payload);
  return projectDirectory === undefined ? { sessionId } : { sessionId, projectDirectory };
};

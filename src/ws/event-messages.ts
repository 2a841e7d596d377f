import type { FeedEvent } from '../../queries/events/feed-after.query.ts';
import { DomainError } from '../kernel/errors.ts';

/** How often a quiet stream says that it lives. */
export const HEARTBEAT_MS = 30_000;

/** For so many milliseconds a client that does not read may take in what was sent before its stream ended. */
export const LEAVE_WITHIN_MS = 2_000;

/** One of the user's events as it goes on the wire. */
export const messageOf = ({ position, ...event }: FeedEvent): string =>
  JSON.stringify({ position: position.toString(), ...event });

/** The sign of life that clients of the old endpoint know. */
export const heartbeatOf = (userId: string, now: Date): string =>
  JSON.stringify({ type: 'heartbeat', timestamp: now.toISOString(), userId });

/** The position a client wants to go on from; undefined when it names none. Throws DomainError on anything else. */
export const resumePosition = (...given: readonly (string | undefined)[]): bigint | undefined => {
  const text = given.find((value) => value !== undefined && value !== '');
  if (text === undefined) return undefined;
  if (/^\d{1,19}$/.test(text)) return BigInt(text);
  throw new DomainError('bad_request', 'the position to resume at must be the position of an earlier event (digits)');
};

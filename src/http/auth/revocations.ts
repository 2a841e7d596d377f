import { isAfter, reachedBy, type EventStore, type Position, type StoredEvent } from '../../kernel/event-store.ts';
import { isoOf, type Clock } from '../../kernel/clock.ts';
import type { Logger } from '../../kernel/logger.ts';
import { scopeOfKey } from '../../kernel/budget.ts';
import type { IsoTime } from '../../kernel/message.ts';
import { upcast } from '../../kernel/upcasting.ts';
import { API_KEY, type ApiKeyEvent } from '../../events/api-key/api-key.events.ts';
import { apiKeyUpcasters } from '../../events/api-key/api-key.upcasters.ts';
import { SESSION, type SessionEvent } from '../../events/session/session.events.ts';
import { sessionUpcasters } from '../../events/session/session.upcasters.ts';
import { USER, type UserEvent } from '../../events/user/user.events.ts';
import { userUpcasters } from '../../events/user/user.upcasters.ts';

/** A session that has ended before its time; no token of it outlives `until`. */
type EndedSession = Readonly<{ sessionId: string; until: IsoTime }>;

/** What had ended when the log was at `position`; undefined: nothing is known yet, read it all. */
export type EndedSoFar = Readonly<{ position: Position | undefined; ended: readonly EndedSession[] }>;

export type RevocationDeps = Readonly<{
  store: Pick<EventStore, 'subscribe'>;
  /** From the read model. The position must not be later than the rows: read it first. */
  load: () => Promise<EndedSoFar>;
  /** Told of a user whose role or life has changed, wherever it was changed. */
  onUserChanged: (userId: string) => Promise<void>;
  /** Told of an API key that was changed or revoked, wherever that was. A new one has nowhere been seen before. */
  onApiKeyChanged: (keyId: string) => Promise<void>;
  clock: Clock;
  pause: (milliseconds: number) => Promise<void>;
  logger: Logger;
}>;

/** The sessions that have ended, in memory, kept fresh from the log. */
export type Revocations = Readonly<{
  isRevoked: (sessionId: string) => boolean;
  /** For a session that this process ends: takes effect before the log's news of it. */
  add: (ended: EndedSession) => void;
  /** Resolves when everything that had ended by now is known. */
  start: (signal: AbortSignal) => Promise<void>;
  /** False while news do not come in, because the store is away. */
  isLive: () => boolean;
}>;

const SWEEP_EVERY_MS = 600_000;
const LONGEST_PAUSE_MS = 5000;
/** A connection that was opened with an API key looks twice a second whether the key was revoked. */
const REVOKED_KEY_MS = 600_000;

const endedBy = (event: SessionEvent): EndedSession | undefined =>
  event.type === 'SignedOut' || event.type === 'SessionRevoked'
    ? { sessionId: event.data.sessionId, until: event.data.expiresAt }
    : undefined;

const changesUser = ({ type }: UserEvent): boolean => type === 'RoleChanged' || type === 'UserRemoved';

/** Keeps the list; `start` loads it and follows the log from there, again and again when the store goes away. */
export const revocations = (deps: RevocationDeps): Revocations => {
  const { store, clock, logger } = deps;
  const untilOf = new Map<string, number>();
  let position: Position | undefined;
  let live = false;
  let sweepAt = 0;

  const sweep = (now: number): void => {
    if (now < sweepAt) return;
    sweepAt = now + SWEEP_EVERY_MS;
    for (const [sessionId, until] of untilOf) if (until <= now) untilOf.delete(sessionId);
  };

  const add = ({ sessionId, until }: EndedSession): void => {
    const now = clock().getTime();
    sweep(now);
    if (Date.parse(until) > now) untilOf.set(sessionId, Date.parse(until));
  };

  const noteKey = async ({ type, data }: ApiKeyEvent): Promise<void> => {
    if (type !== 'ApiKeyCreated') await deps.onApiKeyChanged(data.keyId);
    if (type !== 'ApiKeyRevoked') return;
    add({ sessionId: scopeOfKey(data.keyId), until: isoOf(new Date(clock().getTime() + REVOKED_KEY_MS)) });
  };

  const note = async (stored: StoredEvent): Promise<void> => {
    if (stored.stream.startsWith(`${API_KEY}-`)) {
      await noteKey(upcast(apiKeyUpcasters, stored) as ApiKeyEvent);
    } else if (stored.stream.startsWith(`${SESSION}-`)) {
      const ended = endedBy(upcast(sessionUpcasters, stored) as SessionEvent);
      if (ended !== undefined) add(ended);
    } else {
      const event = upcast(userUpcasters, stored) as UserEvent;
      if (changesUser(event)) await deps.onUserChanged(event.data.userId);
    }
  };

  const follow = async (signal: AbortSignal, caughtUp: () => void): Promise<void> => {
    const filter = { streamPrefixes: [`${SESSION}-`, `${USER}-`, `${API_KEY}-`] };
    const from = position === undefined ? {} : { from: position };
    for await (const items of store.subscribe({ ...from, filter, signal })) {
      for (const item of items) if (item.kind === 'event') await note(item.event);
      const reached = reachedBy(items);
      if (reached !== undefined && isAfter(reached, position)) position = reached;
      if (!items.some(({ kind }) => kind === 'caught-up')) continue;
      live = true;
      caughtUp();
    }
  };

  const loadAndFollow = async (signal: AbortSignal, caughtUp: () => void): Promise<void> => {
    const stopped = (): boolean => signal.aborted;
    let loaded = false;
    for (let wait = 100; !stopped(); wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      try {
        if (!loaded) {
          const soFar = await deps.load();
          soFar.ended.forEach(add);
          position = soFar.position;
          loaded = true;
        }
        await follow(signal, () => {
          wait = 100;
          caughtUp();
        });
      } catch (error) {
        logger.warn({ err: error }, 'the list of ended sessions is not fresh; trying again');
      }
      live = false;
      if (!stopped()) await deps.pause(wait);
    }
  };

  return {
    isRevoked: (sessionId) => untilOf.has(sessionId),
    add,
    start: (signal) =>
      new Promise((resolve, reject) => {
        loadAndFollow(signal, resolve).then(() => reject(new Error('stopped before it was ready')), reject);
      }),
    isLive: () => live,
  };
};

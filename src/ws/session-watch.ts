import type { Revocations } from '../http/auth/revocations.ts';
import type { Caller } from '../http/endpoint.ts';
import type { Clock } from '../kernel/clock.ts';

type Session = Pick<Caller, 'sessionId' | 'tokenExpiresAt'>;

/** Calls `tell` once, when the session has ended. Answers how to stop waiting for that. */
export type SessionEnds = (session: Session, tell: () => void) => () => void;

/** Tells, while a connection is open, that the session behind it has ended. `stop` when the connection closes. */
export type SessionWatch = (session: Session) => Readonly<{
  ended: AbortSignal;
  stop: () => void;
}>;

type Watched = Readonly<{ session: Session; tell: () => void }>;

const LOOK_EVERY_MS = 500;

/**
 * Looks twice a second, without I/O, whether the sessions were ended, here or on another instance, or their tokens are
 * over: one look for all connections.
 */
export const sessionEnds = (revocations: Pick<Revocations, 'isRevoked'>, clock: Clock): SessionEnds => {
  const watched = new Set<Watched>();
  let timer: NodeJS.Timeout | undefined;

  const stop = (one: Watched): void => {
    watched.delete(one);
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };

  const look = (): void => {
    const now = clock().getTime();
    for (const one of watched) {
      const { sessionId, tokenExpiresAt } = one.session;
      if (!revocations.isRevoked(sessionId) && tokenExpiresAt * 1000 > now) continue;
      stop(one);
      one.tell();
    }
  };

  return (session, tell) => {
    const one = { session, tell };
    watched.add(one);
    timer ??= setInterval(look, LOOK_EVERY_MS);
    return () => stop(one);
  };
};

/** The same as a signal, for what is aborted by one. */
export const sessionWatch = (revocations: Pick<Revocations, 'isRevoked'>, clock: Clock): SessionWatch => {
  const ends = sessionEnds(revocations, clock);
  return (session) => {
    const over = new AbortController();
    return { ended: over.signal, stop: ends(session, () => over.abort()) };
  };
};

import type { Revocations } from '../http/auth/revocations.ts';
import type { Caller } from '../http/endpoint.ts';
import type { Clock } from '../kernel/clock.ts';

type Session = Pick<Caller, 'sessionId' | 'tokenExpiresAt'>;

/** Tells, while a connection is open, that the session behind it has ended. `stop` when the connection closes. */
export type SessionWatch = (caller: Session) => Readonly<{
  ended: AbortSignal;
  stop: () => void;
}>;

const LOOK_EVERY_MS = 500;

/**
 * Looks twice a second, without I/O, whether the sessions were ended, here or on another instance, or their tokens are
 * over: one look for all connections.
 */
export const sessionWatch = (revocations: Pick<Revocations, 'isRevoked'>, clock: Clock): SessionWatch => {
  const watched = new Map<AbortController, Session>();
  let timer: NodeJS.Timeout | undefined;

  const stop = (over: AbortController): void => {
    watched.delete(over);
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };

  const look = (): void => {
    const now = clock().getTime();
    for (const [over, { sessionId, tokenExpiresAt }] of watched) {
      if (!revocations.isRevoked(sessionId) && tokenExpiresAt * 1000 > now) continue;
      stop(over);
      over.abort();
    }
  };

  return ({ sessionId, tokenExpiresAt }) => {
    const over = new AbortController();
    watched.set(over, { sessionId, tokenExpiresAt });
    timer ??= setInterval(look, LOOK_EVERY_MS);
    return { ended: over.signal, stop: () => stop(over) };
  };
};

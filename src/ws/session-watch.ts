import type { Revocations } from '../http/auth/revocations.ts';
import type { Caller } from '../http/endpoint.ts';
import type { Clock } from '../kernel/clock.ts';

/** Tells, while a connection is open, that the session behind it has ended. `stop` when the connection closes. */
export type SessionWatch = (caller: Pick<Caller, 'sessionId' | 'tokenExpiresAt'>) => Readonly<{
  ended: AbortSignal;
  stop: () => void;
}>;

const LOOK_EVERY_MS = 500;

/** Looks twice a second, without I/O, whether the session was ended, here or on another instance, or its token is over. */
export const sessionWatch =
  (revocations: Pick<Revocations, 'isRevoked'>, clock: Clock): SessionWatch =>
  ({ sessionId, tokenExpiresAt }) => {
    const over = new AbortController();
    const timer = setInterval(() => {
      if (revocations.isRevoked(sessionId) || tokenExpiresAt * 1000 <= clock().getTime()) over.abort();
    }, LOOK_EVERY_MS);
    return { ended: over.signal, stop: () => clearInterval(timer) };
  };

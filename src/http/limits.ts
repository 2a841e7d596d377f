import { DomainError } from '../kernel/errors.ts';
import type { LimitRule, LimitStanding } from '../kernel/limiter.ts';
import type { LimitScope } from './endpoint.ts';

/** How much one scope allows in one window; without `perUser` only the address is counted. */
export type ScopeLimit = Readonly<{ perIp: number; perUser?: number; windowSeconds: number }>;

/** Limits by scope, and how many failed proofs of identity an address may send. */
export type Limits = Readonly<Record<LimitScope, ScopeLimit> & { authFailures: ScopeLimit }>;

/** The limits unless configured otherwise. What clients cannot do without has a bucket each, so that none starves another. */
export const defaultLimits: Limits = {
  // Each opens a page at the payment provider.
  checkout: { perIp: 100, perUser: 10, windowSeconds: 60 },
  health: { perIp: 600, windowSeconds: 60 },
  login: { perIp: 30, windowSeconds: 3600 },
  polling: { perIp: 240, windowSeconds: 60 },
  public: { perIp: 240, windowSeconds: 60 },
  // A whole office comes back at once when an instance restarts.
  socket: { perIp: 600, windowSeconds: 60 },
  read: { perIp: 1200, perUser: 600, windowSeconds: 60 },
  // The signature is the gate: this only keeps an address from having signatures checked without end.
  webhook: { perIp: 30_000, windowSeconds: 60 },
  write: { perIp: 1200, perUser: 600, windowSeconds: 60 },
  authFailures: { perIp: 60, windowSeconds: 60 },
};

/** The rule that counts a scope's calls by address. */
export const addressRule = (scope: keyof Limits, limit: ScopeLimit): LimitRule => ({
  name: `${scope}:ip`,
  max: limit.perIp,
  windowSeconds: limit.windowSeconds,
});

/** The rule that counts a scope's calls by user; undefined when users are not counted. */
export const userRule = (scope: keyof Limits, limit: ScopeLimit): LimitRule | undefined =>
  limit.perUser === undefined
    ? undefined
    : { name: `${scope}:user`, max: limit.perUser, windowSeconds: limit.windowSeconds };

/** Throws DomainError `rate_limit_error` when the standing is over the limit. */
export const refuseWhenOver = (standing: LimitStanding, what: string): void => {
  if (standing.allowed) return;
  const wait = Math.max(1, standing.resetSeconds);
  throw new DomainError('rate_limit_error', `${what}; wait ${wait} s and try again`, {
    details: { limit: standing.max, retry_after_seconds: wait },
    retryAfterSeconds: wait,
  });
};

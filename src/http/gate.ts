import type { IncomingMessage } from 'node:http';
import { errorCatalogue, isDomainError } from '../kernel/errors.ts';
import type { Limiter, LimitStanding } from '../kernel/limiter.ts';
import { clientAddress, limitKeyOf } from './address.ts';
import type { Authenticator, Credentials } from './authenticator.ts';
import type { Caller, LimitScope } from './endpoint.ts';
import { addressRule, refuseWhenOver, userRule } from './limits.ts';
import type { Limits } from './limits.ts';

/** What stands between the network and any handler, over HTTP and before a WebSocket upgrade alike. */
export type Gate = Readonly<{
  /** The client's address by the configured number of trusted proxies. */
  addressOf: (request: IncomingMessage) => string;
  /** Counts one call of an address; the caller looks at `allowed`. */
  countAddress: (scope: LimitScope, ip: string) => Promise<LimitStanding>;
  /** Counts one call of a user; undefined when the scope does not count users. */
  countUser: (scope: LimitScope, userId: string) => Promise<LimitStanding | undefined>;
  /**
   * Proves the caller, counting failed proofs by address. Throws DomainError `authentication_error` or
   * `rate_limit_error`, and faults when the proof could not be checked.
   */
  prove: (credentials: Credentials, ip: string) => Promise<Caller>;
}>;

const isRefusedProof = (thrown: unknown): boolean =>
  isDomainError(thrown) && errorCatalogue[thrown.errorType].kind === 'unauthenticated';

/** What a request offers as proof. `path` is the one that endpoints are written with, whatever prefix it came by. */
export const credentialsOf = (request: IncomingMessage, path: string): Credentials => {
  const only = (name: string): string | undefined => {
    const values = request.headersDistinct[name];
    return values?.length === 1 ? values[0] : undefined;
  };
  return {
    authorization: only('authorization'),
    apiKey: only('x-api-key'),
    deviceId: only('x-device-id'),
    tokenBinding: only('x-token-binding'),
    method: request.method ?? 'GET',
    path,
  };
};

/** Builds the gate. */
export const buildGate = (
  deps: Readonly<{ limiter: Limiter; limits: Limits; authenticator: Authenticator; trustedProxies: number }>,
): Gate => {
  const { limiter, limits, authenticator } = deps;
  const failures = addressRule('authFailures', limits.authFailures);

  const prove = async (credentials: Credentials, ip: string): Promise<Caller> => {
    // Offering nothing is not guessing: such calls are refused, not counted.
    const offered = credentials.authorization !== undefined || credentials.apiKey !== undefined;
    if (!offered) return authenticator(credentials);
    const key = limitKeyOf(ip);
    // Both at once: the check of the proof must not wait for the counters. A blocked address learns nothing of it.
    const [standing, proof] = await Promise.all([
      limiter.look(failures, key),
      Promise.allSettled([authenticator(credentials)]),
    ]);
    refuseWhenOver(standing, 'too many failed sign-ins from this address');
    const [outcome] = proof;
    if (outcome.status === 'fulfilled') return outcome.value;
    if (isRefusedProof(outcome.reason)) await limiter.use(failures, key);
    throw outcome.reason;
  };

  return {
    addressOf: (request) => clientAddress(request, deps.trustedProxies),
    countAddress: (scope, ip) => limiter.use(addressRule(scope, limits[scope]), limitKeyOf(ip)),
    countUser: (scope, userId) => {
      const rule = userRule(scope, limits[scope]);
      return rule === undefined ? Promise.resolve(undefined) : limiter.use(rule, userId);
    },
    prove,
  };
};

import { hash, randomUUID } from 'node:crypto';
import type { CommandHandler } from '../../kernel/command-handler.ts';
import { isoOf, type Clock } from '../../kernel/clock.ts';
import { DomainError, isDomainError } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';
import { mayLackVerifiedEmail, type Profile } from '../../kernel/identity.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Cause } from '../../kernel/message.ts';
import { serialByKey } from '../../kernel/serial.ts';
import { stateCache } from '../../kernel/state-cache.ts';
import type { AppClaims, AppTokens } from '../../kernel/tokens.ts';
import type { UserEvent } from '../../events/user/user.events.ts';
import type { SignInService } from '../../../commands/sessions/sign-in.ts';
import type { UserCommand } from '../../../commands/users/users.commands.ts';
import type { RegisteredUser, User } from '../../../commands/users/users.state.ts';
import type { Authenticator, Credentials } from '../authenticator.ts';
import type { Caller } from '../endpoint.ts';
import { bearerOf, checkBinding, checkDevice, checkScope, refused } from './checks.ts';
import type { Revocations } from './revocations.ts';

export type TokenAuthenticatorDeps = Readonly<{
  tokens: AppTokens;
  revocations: Pick<Revocations, 'isRevoked'>;
  users: Pick<CommandHandler<User, UserCommand, UserEvent>, 'state'>;
  provision: SignInService['provision'];
  clock: Clock;
  logger: Logger;
}>;

const VERIFIED_TOKENS = 20_000;
const FOREIGN_USERS = 20_000;
const ADMIN_PATH = /\/admin(\/|$)/;

const personOf = ({ subject, email }: AppClaims): Profile => {
  // Without a subject nobody can say whose token it is.
  if (subject === undefined) throw refused('the user of this token is not known here; sign in again');
  return {
    subject,
    email: email === '' ? undefined : email,
    // Every other kind of subject had to have a verified address to get a token at all.
    emailVerified: email !== '' && !mayLackVerifiedEmail(subject),
    name: undefined,
    role: undefined,
  };
};

const callerOf = (claims: AppClaims, user: RegisteredUser, offered: Credentials): Caller => {
  const header = offered.deviceId?.toLowerCase();
  return {
    userId: user.userId,
    sessionId: claims.sessionId,
    jti: claims.jti,
    deviceId: claims.deviceId ?? (header !== undefined && isUuid(header) ? header : undefined),
    role: user.role,
    email: claims.email,
    tokenExpiresAt: claims.expiresAt,
  };
};

/**
 * Proves callers by their app token. For a user and a token that this process has seen before there is no I/O: the
 * claims are cached, expiry and revocation are looked at every time. Paths of administrators read the role afresh.
 */
export const tokenAuthenticator = (deps: TokenAuthenticatorDeps): Authenticator => {
  const { tokens, users, clock, logger } = deps;
  const verified = stateCache<AppClaims>(VERIFIED_TOKENS);
  /** Who a user of another server is here. */
  const localIds = stateCache<string>(FOREIGN_USERS);
  const inTurn = serialByKey();

  const claimsOf = async (token: string): Promise<AppClaims> => {
    const now = clock();
    const key = hash('sha256', token, 'base64');
    const known = verified.get(key);
    if (known === undefined) {
      const claims = await tokens.verify(token, now);
      verified.set(key, claims);
      return claims;
    }
    if (known.expiresAt * 1000 > now.getTime()) return known;
    verified.delete(key);
    throw refused('the token has expired; sign in again');
  };

  const provision = async (claims: AppClaims): Promise<RegisteredUser> => {
    const at = isoOf(clock());
    const actor = { kind: 'system', id: 'provisioning' } as const;
    const cause: Cause = { at, correlationId: randomUUID(), causationId: claims.jti, actor };
    const user = await deps.provision(personOf(claims), claims.jti, cause);
    localIds.set(claims.userId, user.userId);
    return user;
  };

  const knownUser = async ({ userId }: AppClaims, cached: boolean): Promise<RegisteredUser | undefined> => {
    const user = await users.state(localIds.get(userId) ?? userId, { cached });
    if (user.status === 'removed') throw refused('this account has been removed');
    return user.status === 'registered' ? user : undefined;
  };

  const userOf = async (claims: AppClaims, cached: boolean): Promise<RegisteredUser> =>
    (await knownUser(claims, cached)) ??
    inTurn(claims.userId, async () => (await knownUser(claims, true)) ?? provision(claims));

  /** Whatever keeps us from looking is told as such: a client throws its token away on a 401. */
  const lookedUp = async (claims: AppClaims, offered: Credentials): Promise<RegisteredUser> => {
    try {
      return await userOf(claims, !ADMIN_PATH.test(offered.path));
    } catch (error) {
      if (isDomainError(error)) throw error;
      logger.warn({ err: error }, 'a caller could not be checked');
      throw new DomainError('service_unavailable', 'your sign-in could not be checked; try again', {
        retryAfterSeconds: 1,
        cause: error,
      });
    }
  };

  return async (offered) => {
    const claims = await claimsOf(bearerOf(offered));
    checkDevice(claims, offered);
    checkBinding(claims, offered);
    checkScope(claims, offered);
    if (deps.revocations.isRevoked(claims.sessionId)) throw refused('the session has ended; sign in again');
    return callerOf(claims, await lookedUp(claims, offered), offered);
  };
};

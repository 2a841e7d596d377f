import { isoAfter } from '../../src/kernel/clock.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { mayLackVerifiedEmail, type Profile } from '../../src/kernel/identity.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import type { SessionEvent } from '../../src/events/session/session.events.ts';
import type { CreditCommand } from '../credits/credits.commands.ts';
import type { CreditAccount } from '../credits/credits.state.ts';
import type { Recognised, Recogniser } from '../users/recognise.ts';
import type { RegisteredUser } from '../users/users.state.ts';
import type { SessionCommand } from './sessions.commands.ts';
import type { Session } from './sessions.state.ts';

export type SignInDeps = Readonly<{
  recognise: Recogniser;
  sessions: Pick<CommandHandler<Session, SessionCommand, SessionEvent>, 'handle'>;
  accounts: Pick<CommandHandler<CreditAccount, CreditCommand, CreditAccountEvent>, 'handle'>;
  /** What new users are given. */
  offer: () => Readonly<{ amount: MicroUsd; days: number }>;
  maxSessionSeconds: number;
  logger: Logger;
}>;

/** `sessionId` is fresh; repeating a sign-in with the same one is the same sign-in. */
export type SignIn = Readonly<{ person: Profile; sessionId: string; deviceId: string | undefined }>;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Signs people in: who they are, their credit account, their session. */
export const signInService = (deps: SignInDeps) => {
  const { recognise, sessions, accounts, offer, maxSessionSeconds, logger } = deps;

  /** Opens the credit account unless it is there. A failure is left to the next sign-in: it must not lose this one. */
  const openAccount = async (userId: string, returned: boolean, cause: Cause): Promise<void> => {
    try {
      const { amount, days } = offer();
      const grantExpiresAt = isoAfter(cause.at, days * DAY_MS);
      // Somebody who removed their account and came back has had their grant.
      const data = { userId, signupGrant: returned ? 0n : amount, grantExpiresAt, at: cause.at };
      await accounts.handle(userId, { type: 'OpenAccount', key: `account:${userId}`, data }, cause);
    } catch (error) {
      logger.error({ err: error, userId }, 'the credit account was not opened; the next sign-in tries again');
    }
  };

  const admit = async ({ user, returned }: Recognised, cause: Cause): Promise<RegisteredUser> => {
    await openAccount(user.userId, returned, { ...cause, actor: { kind: 'user', id: user.userId } });
    return user;
  };

  /** The user after a login at the provider, with a new session. Refused with `unauthorized` when the e-mail is not verified. */
  const signIn = async ({ person, sessionId, deviceId }: SignIn, cause: Cause): Promise<RegisteredUser> => {
    if (!person.emailVerified && !mayLackVerifiedEmail(person.subject)) {
      throw new DomainError('unauthorized', 'verify your e-mail address with the sign-in provider first');
    }
    const asked = { person, proof: 'login', key: sessionId, at: cause.at } as const;
    const user = await admit(await recognise(asked, cause), cause);
    const { userId } = user;
    const expiresAt = isoAfter(cause.at, maxSessionSeconds * 1000);
    const data = { sessionId, userId, deviceId: deviceId ?? null, expiresAt, at: cause.at };
    const by: Cause = { ...cause, actor: { kind: 'user', id: userId }, sessionId, ...(deviceId && { deviceId }) };
    await sessions.handle(sessionId, { type: 'StartSession', key: `start:${sessionId}`, data }, by);
    return user;
  };

  /** The user of a good token that was issued by another server with the same secret. `key` is the token's id. */
  const provision = async (person: Profile, key: string, cause: Cause): Promise<RegisteredUser> =>
    admit(await recognise({ person, proof: 'token', key, at: cause.at }, cause), cause);

  return { signIn, provision };
};

export type SignInService = ReturnType<typeof signInService>;

import { keyIdIn, isTextOf } from '../../../commands/api-keys/key-text.ts';
import type { ApiKeyCommand } from '../../../commands/api-keys/api-keys.commands.ts';
import type { ActiveApiKey, ApiKey } from '../../../commands/api-keys/api-keys.state.ts';
import type { UserCommand } from '../../../commands/users/users.commands.ts';
import type { User } from '../../../commands/users/users.state.ts';
import type { ApiKeyEvent } from '../../events/api-key/api-key.events.ts';
import type { UserEvent } from '../../events/user/user.events.ts';
import { scopeOfKey } from '../../kernel/budget.ts';
import { isoOf, notAfter, type Clock } from '../../kernel/clock.ts';
import type { CommandHandler } from '../../kernel/command-handler.ts';
import { DomainError, isDomainError } from '../../kernel/errors.ts';
import { isUuid } from '../../kernel/ids.ts';
import type { Logger } from '../../kernel/logger.ts';
import type { Authenticator, Credentials } from '../authenticator.ts';
import type { Caller } from '../endpoint.ts';
import { keyOffered, refused } from './checks.ts';

export type ApiKeyAuthenticatorDeps = Readonly<{
  keys: Pick<CommandHandler<ApiKey, ApiKeyCommand, ApiKeyEvent>, 'state'>;
  users: Pick<CommandHandler<User, UserCommand, UserEvent>, 'state'>;
  clock: Clock;
  logger: Logger;
}>;

/** The end of the year 9999: what never expires outlives every date that can be written. */
const NEVER = 253_402_300_799;

/** The same for a key that is not there and for one whose secret is another: nobody finds out which ids exist. */
const unknownKey = (): DomainError => refused('this API key is not known here; check that it was copied whole');

const checkSecret = (key: ApiKey, text: string): ActiveApiKey => {
  if (key.status === 'none') throw unknownKey();
  if (key.status === 'revoked') throw refused('this API key has been revoked; make another one');
  if (!isTextOf(text, key.secretHash)) throw unknownKey();
  return key;
};

const callerOf = (keyId: string, key: ActiveApiKey, { deviceId }: Credentials): Caller => ({
  userId: key.userId,
  sessionId: scopeOfKey(keyId),
  jti: keyId,
  deviceId: deviceId !== undefined && isUuid(deviceId) ? deviceId.toLowerCase() : undefined,
  role: 'user',
  email: '',
  tokenExpiresAt: key.expiresAt === null ? NEVER : Math.floor(Date.parse(key.expiresAt) / 1000),
  apiKey: { keyId, scopes: key.scopes, budget: key.budget },
});

/**
 * Proves callers by an API key. For a key and a user that this process has seen before there is no I/O; news of either
 * come over the log (revocations.ts).
 */
const apiKeyAuthenticator = ({ keys, users, clock, logger }: ApiKeyAuthenticatorDeps) => {
  const proven = async (text: string, offered: Credentials): Promise<Caller> => {
    const keyId = keyIdIn(text);
    if (keyId === undefined) throw refused('this is no whole API key; check that it was copied from ptc_ to its end');
    const key = checkSecret(await keys.state(keyId, { cached: true }), text);
    if (key.expiresAt !== null && notAfter(key.expiresAt, isoOf(clock()))) {
      throw refused('this API key has expired; make another one');
    }
    const user = await users.state(key.userId, { cached: true });
    if (user.status !== 'registered') throw refused('this account has been removed');
    return callerOf(keyId, key, offered);
  };

  return async (text: string, offered: Credentials): Promise<Caller> => {
    try {
      return await proven(text, offered);
    } catch (error) {
      if (isDomainError(error)) throw error;
      logger.warn({ err: error }, 'an API key could not be checked');
      throw new DomainError('service_unavailable', 'your API key could not be checked; try again', {
        retryAfterSeconds: 1,
        cause: error,
      });
    }
  };
};

/** Proves callers by the API key that they offer, else by their token. A bad key never falls back to a token. */
export const keyOrTokenAuthenticator = (deps: ApiKeyAuthenticatorDeps, byToken: Authenticator): Authenticator => {
  const byKey = apiKeyAuthenticator(deps);
  return (offered) => {
    const text = keyOffered(offered);
    return text === undefined ? byToken(offered) : byKey(text, offered);
  };
};

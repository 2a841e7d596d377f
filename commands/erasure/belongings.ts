import type { ApiKeyEvent } from '../../src/events/api-key/api-key.events.ts';
import type { SessionEvent } from '../../src/events/session/session.events.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import type { Cause, IsoTime } from '../../src/kernel/message.ts';
import type { ApiKeyCommand } from '../api-keys/api-keys.commands.ts';
import type { ApiKey } from '../api-keys/api-keys.state.ts';
import type { SessionCommand } from '../sessions/sessions.commands.ts';
import type { Session } from '../sessions/sessions.state.ts';

/** What a user still has. */
export type Belongings = Readonly<{
  sessions: readonly Readonly<{ sessionId: string; expiresAt: IsoTime }>[];
  /** Keys that were not revoked, also those that have expired. */
  apiKeys: readonly string[];
  devices: readonly string[];
  /** Tokens that still reach a device of theirs, or that a crash has left unreleased. */
  pushTokens: readonly Readonly<{ tokenHash: string; deviceId: string; userId: string }>[];
}>;

export type BelongingsDeps = Readonly<{
  /** See AccountEndDeps. */
  newId: () => string;
  /** Complete as of now; rejects when that cannot be told. */
  belongings: (userId: string) => Promise<Belongings>;
  sessions: Pick<CommandHandler<Session, SessionCommand, SessionEvent>, 'handle'>;
  apiKeys: Pick<CommandHandler<ApiKey, ApiKeyCommand, ApiKeyEvent>, 'handle'>;
  /** Takes a device off its user, and what notifies it. */
  removeDevice: (whose: Readonly<{ userId: string; deviceId: string }>, cause: Cause) => Promise<unknown>;
  /** Releases a push token that is no device's. */
  releaseToken: (held: Belongings['pushTokens'][number], cause: Cause) => Promise<unknown>;
  /** Deletes the recorded answers of a user. Resolves with their number. */
  forgetAnswers: (userId: string) => Promise<number>;
  /** Has the payment provider forget the user; resolves with the customer, if there was one. Rejects while it is away. */
  forgetCustomer: (userId: string, cause: Cause) => Promise<string | undefined>;
}>;

/** Revokes every session and API key of a removed user. Resolves with their numbers. May be repeated. */
export const endConnections = async (deps: BelongingsDeps, userId: string, cause: Cause) => {
  const { sessions, apiKeys } = await deps.belongings(userId);
  const { at } = cause;
  for (const { sessionId, expiresAt } of sessions) {
    const data = { sessionId, userId, expiresAt, reason: 'user_removed', at } as const;
    const key = `revoke:${sessionId}:${deps.newId()}`;
    await deps.sessions.handle(sessionId, { type: 'RevokeSession', key, data }, cause);
  }
  for (const keyId of apiKeys) {
    const data = { keyId, userId, at };
    await deps.apiKeys.handle(keyId, { type: 'RevokeApiKey', key: `revoke:${keyId}:${deps.newId()}`, data }, cause);
  }
  return { sessions: sessions.length, apiKeys: apiKeys.length };
};

/**
 * Removes every device with its push token, and every recorded answer, of a removed user. Resolves with the numbers of
 * devices and answers. May be repeated.
 */
export const removeBelongings = async (deps: BelongingsDeps, userId: string, cause: Cause) => {
  const { devices, pushTokens } = await deps.belongings(userId);
  for (const deviceId of devices) {
    try {
      await deps.removeDevice({ userId, deviceId }, cause);
    } catch (error) {
      // Another instance was faster.
      if (!isDomainError(error) || error.errorType !== 'not_found') throw error;
    }
  }
  for (const held of pushTokens) await deps.releaseToken(held, cause);
  const answers = await deps.forgetAnswers(userId);
  return { devices: devices.length, answers };
};

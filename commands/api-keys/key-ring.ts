import { API_KEY, type ApiKeyEvent, type ApiKeyScope } from '../../src/events/api-key/api-key.events.ts';
import { streamOf } from '../../src/kernel/aggregate.ts';
import type { Budget } from '../../src/kernel/budget.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Cause, IsoTime } from '../../src/kernel/message.ts';
import { serialByKey } from '../../src/kernel/serial.ts';
import type { SubjectVault } from '../../src/kernel/vault.ts';
import type { ApiKeyCommand } from './api-keys.commands.ts';
import type { ApiKey } from './api-keys.state.ts';
import { newKeyText, SECRET_BYTES, type NewKeyText } from './key-text.ts';

/** What a user asks for. */
export type KeyWish = Readonly<{
  name: string;
  scopes: readonly ApiKeyScope[];
  budget: Budget | null;
  expiresAt: IsoTime | null;
  /** The client's `Idempotency-Key`: a second wish with the same one is refused. */
  idempotencyKey: string | undefined;
}>;

/** A key and the user who acts on it. */
export type WhoseKey = Readonly<{ keyId: string; userId: string }>;

/** The write side of API keys. All but `create` refuse with not_found what is not this user's. */
export type KeyRing = Readonly<{
  /**
   * Makes a key. Its text is in the answer and nowhere else. Refused with already_exists for a repeated wish, and with
   * bad_request when the user has as many keys as one may have.
   */
  create: (userId: string, wish: KeyWish, cause: Cause) => Promise<Readonly<{ keyId: string; key: NewKeyText }>>;
  /** Null: it may spend what there is. */
  changeBudget: (whose: WhoseKey, budget: Budget | null, cause: Cause) => Promise<void>;
  /** Says nothing when it has been revoked before. */
  revoke: (whose: WhoseKey, cause: Cause) => Promise<void>;
}>;

type Deps = Readonly<{
  handler: CommandHandler<ApiKey, ApiKeyCommand, ApiKeyEvent>;
  vault: Pick<SubjectVault, 'seal'>;
  /** How many keys of a user can be used at that moment. */
  activeKeys: (userId: string, at: IsoTime) => Promise<number>;
  newId: () => string;
  random: (bytes: number) => Uint8Array;
}>;

/** Keys of one user that can be used. Nobody needs more; a runaway script must not fill the log with them. */
export const MOST_KEYS = 50;

/** Makes, changes and ends keys. */
export const keyRing = ({ handler, vault, activeKeys, newId, random }: Deps): KeyRing => {
  // Two wishes at once must not both find the last free place. Over several instances a few may: it is no matter of money.
  const inTurn = serialByKey();

  const create: KeyRing['create'] = async (userId, { name, idempotencyKey, ...wish }, cause) => {
    const keyId = idempotencyKey === undefined ? newId() : uuidOf(`apiKey|${userId}|${idempotencyKey}`);
    if ((await activeKeys(userId, cause.at)) >= MOST_KEYS) {
      throw new DomainError('bad_request', `at most ${MOST_KEYS} API keys of one user; revoke one first`);
    }
    const key = newKeyText(keyId, random(SECRET_BYTES));
    const sealed = await vault.seal(userId, streamOf({ category: API_KEY }, keyId), name);
    const facts = { secretHash: key.hash, lastFour: key.lastFour, name: sealed, at: cause.at };
    const data = { keyId, userId, ...wish, ...facts };
    // Two equal wishes on two instances make two secrets: their events must not pass for one and the same.
    const command = { type: 'CreateApiKey', key: `create:${keyId}:${newId()}`, data } as const;
    await handler.handle(keyId, command, cause);
    return { keyId, key };
  };

  return {
    create: (userId, wish, cause) => inTurn(userId, () => create(userId, wish, cause)),
    changeBudget: async (whose, budget, cause) => {
      // The same budget may be set again after another one: each setting is a command of its own.
      const key = `budget:${cause.causationId}:${cause.at}`;
      const data = { ...whose, budget, at: cause.at };
      await handler.handle(whose.keyId, { type: 'ChangeApiKeyBudget', key, data }, cause);
    },
    revoke: async (whose, cause) => {
      const data = { ...whose, at: cause.at };
      await handler.handle(whose.keyId, { type: 'RevokeApiKey', key: `revoke:${whose.keyId}`, data }, cause);
    },
  };
};

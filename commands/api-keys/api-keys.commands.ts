import type { ApiKeyScope } from '../../src/events/api-key/api-key.events.ts';
import type { Budget } from '../../src/kernel/budget.ts';
import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { Sealed } from '../../src/kernel/vault.ts';

type ByOwner<D> = D & Readonly<{ keyId: string; userId: string; at: IsoTime }>;

/** Makes a key; refused with already_exists when its id is taken. Key `create:<keyId>:<chance>`. */
export type CreateApiKey = Command<
  'CreateApiKey',
  ByOwner<
    Readonly<{
      name: Sealed;
      /** SHA-256 of the whole key in hex. */
      secretHash: string;
      lastFour: string;
      scopes: readonly ApiKeyScope[];
      budget: Budget | null;
      expiresAt: IsoTime | null;
    }>
  >
>;

/** Changes what the key may spend; refused with not_found when it is not the user's or is revoked. */
export type ChangeApiKeyBudget = Command<'ChangeApiKeyBudget', ByOwner<Readonly<{ budget: Budget | null }>>>;

/** Ends the key; refused with not_found when it is not the user's. Key `revoke:<keyId>`. */
export type RevokeApiKey = Command<'RevokeApiKey', ByOwner<unknown>>;

export type ApiKeyCommand = CreateApiKey | ChangeApiKeyBudget | RevokeApiKey;

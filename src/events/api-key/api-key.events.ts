import type { BudgetText } from '../../kernel/budget.ts';
import type { Event, IsoTime } from '../../kernel/message.ts';
import type { Sealed } from '../../kernel/vault.ts';

/** What a key may be used for; whatever is not named here needs a person who is signed in. */
export const API_KEY_SCOPES = ['chat', 'audio', 'models', 'account', 'devices'] as const;

export type ApiKeyScope = (typeof API_KEY_SCOPES)[number];

type OfUser<D> = D & Readonly<{ keyId: string; userId: string; at: IsoTime }>;

/** A user has made a key. Its secret is nowhere: only a hash that a key can be compared with. */
export type ApiKeyCreated = Event<
  'ApiKeyCreated',
  OfUser<
    Readonly<{
      /** What the user calls it, under the user's key. */
      name: Sealed;
      /** SHA-256 of the whole key in hex. */
      secretHash: string;
      /** The last characters of its secret, so that its owner recognises it. */
      lastFour: string;
      scopes: readonly ApiKeyScope[];
      budget: BudgetText | null;
      /** Null: never. */
      expiresAt: IsoTime | null;
    }>
  >
>;

/** Its owner lets it spend another sum, or as much as there is (null). */
type ApiKeyBudgetChanged = Event<'ApiKeyBudgetChanged', OfUser<Readonly<{ budget: BudgetText | null }>>>;

/** It is of no use any more, for ever. */
type ApiKeyRevoked = Event<'ApiKeyRevoked', OfUser<unknown>>;

export type ApiKeyEvent = ApiKeyCreated | ApiKeyBudgetChanged | ApiKeyRevoked;

/** Streams are `apiKey-<keyId>`; the sealed name uses the stream's name as its context. */
export const API_KEY = 'apiKey';

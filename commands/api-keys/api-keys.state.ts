import type { ApiKeyScope } from '../../src/events/api-key/api-key.events.ts';
import type { Budget } from '../../src/kernel/budget.ts';
import type { IsoTime } from '../../src/kernel/message.ts';

/** A key that has not been revoked. It may have expired. */
export type ActiveApiKey = Readonly<{
  status: 'active';
  userId: string;
  secretHash: string;
  scopes: readonly ApiKeyScope[];
  budget: Budget | null;
  expiresAt: IsoTime | null;
}>;

export type ApiKey = Readonly<{ status: 'none' }> | ActiveApiKey | Readonly<{ status: 'revoked'; userId: string }>;

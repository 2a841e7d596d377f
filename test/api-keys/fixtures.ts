import type { ChangeApiKeyBudget, CreateApiKey, RevokeApiKey } from '../../commands/api-keys/api-keys.commands.ts';
import type { Budget } from '../../src/kernel/budget.ts';
import type { Sealed } from '../../src/kernel/vault.ts';

export const ADA = '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
export const GRACE = '9b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
export const KEY_ID = '6f0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
export const T0 = '2026-01-01T00:00:00.000Z';
export const T1 = '2026-01-02T00:00:00.000Z';

export const sealedName: Sealed = { k: ADA, iv: 'aXY=', ct: 'bmFtZQ==', tag: 'dGFn' };

/** Ada makes a key; `change` replaces members. */
export const create = (change: Partial<CreateApiKey['data']> = {}): CreateApiKey => ({
  type: 'CreateApiKey',
  key: `create:${KEY_ID}`,
  data: {
    keyId: KEY_ID,
    userId: ADA,
    name: sealedName,
    secretHash: 'ab'.repeat(32),
    lastFour: 'wxyz',
    scopes: ['chat'],
    budget: { limit: 5_000_000n, period: 'day' },
    expiresAt: null,
    at: T0,
    ...change,
  },
});

export const revoke = (userId = ADA): RevokeApiKey => ({
  type: 'RevokeApiKey',
  key: `revoke:${KEY_ID}`,
  data: { keyId: KEY_ID, userId, at: T1 },
});

export const setBudget = (budget: Budget | null, userId = ADA): ChangeApiKeyBudget => ({
  type: 'ChangeApiKeyBudget',
  key: 'budget:1',
  data: { keyId: KEY_ID, userId, budget, at: T1 },
});

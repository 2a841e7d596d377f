import { API_KEY, type ApiKeyEvent } from '../../src/events/api-key/api-key.events.ts';
import { apiKeyUpcasters } from '../../src/events/api-key/api-key.upcasters.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { creditAccountUpcasters } from '../../src/events/credit-account/credit-account.upcasters.ts';
import type { BudgetText } from '../../src/kernel/budget.ts';
import { microOf } from '../../src/kernel/money.ts';
import { defineProjection, type RowOp } from '../../src/kernel/projection.ts';
import type { Row } from '../../src/kernel/table.ts';
import { accountOwner, creditAccountStreams } from '../balance/account-owner.ts';
import { chargedFor } from '../balance/charge.ts';
import { apiKeySpendingTable, apiKeyTable } from './api-keys.table.ts';

const change = ({ keyId, userId }: Readonly<{ keyId: string; userId: string }>, set: Row): readonly RowOp[] => [
  { op: 'set', table: apiKeyTable, key: { key_id: keyId }, set: { user_id: userId, ...set } },
];

const budgetOf = (budget: BudgetText | null): Row => ({
  budget_micro: budget === null ? null : microOf(budget.limit),
  budget_period: budget?.period ?? null,
});

/** The users' API keys and what was spent with each. */
export const apiKeysProjection = defineProjection<ApiKeyEvent | CreditAccountEvent>({
  name: 'api-keys',
  version: 3,
  tables: [apiKeyTable, apiKeySpendingTable],
  streamPrefixes: [`${API_KEY}-`, ...creditAccountStreams],
  upcasters: { ...apiKeyUpcasters, ...creditAccountUpcasters },
  on: {
    ApiKeyCreated: ({ data, opened }) =>
      change(data, {
        name: (opened['name'] ?? null) as string | null,
        last_four: data.lastFour,
        scopes: data.scopes,
        ...budgetOf(data.budget),
        created_at: data.at,
        expires_at: data.expiresAt,
      }),
    ApiKeyBudgetChanged: ({ data }) => change(data, budgetOf(data.budget)),
    // What a key was called is of use while it can be used, and no longer.
    ApiKeyRevoked: ({ data }) => change(data, { name: null, revoked_at: data.at }),
    ReservationCaptured: ({ stream, data }) => {
      const { apiKeyId } = data.work;
      if (apiKeyId === undefined) return [];
      return [
        {
          op: 'add',
          table: apiKeySpendingTable,
          key: { user_id: accountOwner(stream), key_id: apiKeyId, day: data.at.slice(0, 10) },
          add: { requests: 1n, charged_micro: chargedFor(data) },
          set: { last_used_at: data.at },
        },
      ];
    },
  },
});

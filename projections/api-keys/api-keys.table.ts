import { defineTable } from '../../src/kernel/table.ts';

/** Every key that was made, also after its end: what it spent has its id. A revoked key has no name any more. */
export const apiKeyTable = defineTable({
  name: 'api_key',
  columns: {
    key_id: { type: 'uuid' },
    user_id: { type: 'uuid' },
    name: { type: 'text', nullable: true },
    last_four: { type: 'text', nullable: true },
    scopes: { type: 'jsonb', nullable: true },
    budget_micro: { type: 'bigint', nullable: true },
    budget_period: { type: 'text', nullable: true },
    created_at: { type: 'timestamptz', nullable: true },
    expires_at: { type: 'timestamptz', nullable: true },
    revoked_at: { type: 'timestamptz', nullable: true },
  },
  key: ['key_id'],
  owner: 'user_id',
  indexes: [['user_id', 'created_at desc']],
});

/** What a key was charged, by the UTC day (`YYYY-MM-DD`) of the charge. */
export const apiKeySpendingTable = defineTable({
  name: 'api_key_spending',
  columns: {
    user_id: { type: 'uuid' },
    key_id: { type: 'uuid' },
    day: { type: 'text' },
    requests: { type: 'bigint', default: '0' },
    charged_micro: { type: 'bigint', default: '0' },
    last_used_at: { type: 'timestamptz', nullable: true },
  },
  key: ['user_id', 'key_id', 'day'],
  owner: 'user_id',
});

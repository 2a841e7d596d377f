import { defineTable } from '../../src/kernel/table.ts';

/**
 * Every change of what a user owns, net of what is owed; money on hold is still owned. The lines of a user add up to
 * the account's paid + promo + held - shortfall, and each line's balance is the sum up to it.
 */
export const ledgerTable = defineTable({
  name: 'ledger',
  columns: {
    user_id: { type: 'uuid' },
    revision: { type: 'bigint' },
    line: { type: 'integer' },
    entry_id: { type: 'uuid' },
    type: { type: 'text' },
    net_micro: { type: 'bigint' },
    gross_micro: { type: 'bigint', nullable: true },
    fee_micro: { type: 'bigint', nullable: true },
    balance_after_micro: { type: 'bigint' },
    description: { type: 'text' },
    charge_ref: { type: 'text', nullable: true },
    request_id: { type: 'text', nullable: true },
    at: { type: 'timestamptz' },
  },
  key: ['user_id', 'revision', 'line'],
  owner: 'user_id',
});

/** What users see as their history: one row a charged request, purchase, grant or expiry. */
export const unifiedHistoryTable = defineTable({
  name: 'unified_history',
  columns: {
    user_id: { type: 'uuid' },
    id: { type: 'uuid' },
    at: { type: 'timestamptz' },
    type: { type: 'text' },
    price_micro: { type: 'bigint' },
    model: { type: 'text' },
    input_tokens: { type: 'bigint', nullable: true },
    output_tokens: { type: 'bigint', nullable: true },
    cache_write_tokens: { type: 'bigint', nullable: true },
    cache_read_tokens: { type: 'bigint', nullable: true },
    balance_after_micro: { type: 'bigint' },
    description: { type: 'text' },
    request_id: { type: 'text', nullable: true },
  },
  key: ['user_id', 'id'],
  owner: 'user_id',
  indexes: [['user_id', 'at desc', 'id']],
});

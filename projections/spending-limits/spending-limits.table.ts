import { defineTable } from '../../src/kernel/table.ts';

const limit = { type: 'bigint', nullable: true } as const;

/** What a user may spend in each day and month (UTC), as the user and as administrators set it. Null: no limit. */
export const spendingLimitTable = defineTable({
  name: 'spending_limit',
  columns: {
    user_id: { type: 'uuid' },
    /** `user` or `admin`. */
    set_by: { type: 'text' },
    day_soft_micro: limit,
    day_hard_micro: limit,
    month_soft_micro: limit,
    month_hard_micro: limit,
    low_balance_micro: limit,
    set_at: { type: 'timestamptz' },
  },
  key: ['user_id', 'set_by'],
  owner: 'user_id',
});

import { defineTable } from '../../src/kernel/table.ts';

/** What administrators changed by hand, or want to. Users see none of it. */
export const adjustmentTable = defineTable({
  name: 'credit_adjustment',
  columns: {
    user_id: { type: 'uuid' },
    adjustment_id: { type: 'text' },
    /** `waiting`, `done` or `rejected`. */
    status: { type: 'text' },
    amount_micro: { type: 'bigint', default: '0' },
    bucket: { type: 'text', nullable: true },
    reason_code: { type: 'text', nullable: true },
    /** Null when the user's key has been destroyed. */
    note: { type: 'text', nullable: true },
    requested_by: { type: 'text', nullable: true },
    /** The second administrator; null: none was needed, or none has decided yet. */
    decided_by: { type: 'text', nullable: true },
    requested_at: { type: 'timestamptz', nullable: true },
    decided_at: { type: 'timestamptz', nullable: true },
  },
  key: ['user_id', 'adjustment_id'],
  indexes: [['status', 'requested_at']],
});

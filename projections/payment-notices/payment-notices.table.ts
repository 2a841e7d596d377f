import { defineTable } from '../../src/kernel/table.ts';

/** Notices of the payment provider, and how the work on them stands. No user sees them. */
export const paymentNoticeTable = defineTable({
  name: 'payment_notice',
  columns: {
    notice_id: { type: 'text' },
    type: { type: 'text' },
    object_id: { type: 'text' },
    /** `waiting`, `applied`, `ignored`, `parked`. */
    status: { type: 'text' },
    attempts: { type: 'integer', default: '0' },
    code: { type: 'text', nullable: true },
    next_attempt_at: { type: 'timestamptz', nullable: true },
    received_at: { type: 'timestamptz' },
    updated_at: { type: 'timestamptz' },
  },
  key: ['notice_id'],
  indexes: [['status', 'next_attempt_at']],
});

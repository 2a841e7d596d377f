import { defineTable } from '../../src/kernel/table.ts';

/** The double-entry journal: the lines of an event balance to zero. No user sees it. */
export const journalTable = defineTable({
  name: 'journal',
  columns: {
    stream: { type: 'text' },
    revision: { type: 'bigint' },
    line_no: { type: 'integer' },
    entry_id: { type: 'uuid' },
    position: { type: 'bigint' },
    event_type: { type: 'text' },
    occurred_at: { type: 'timestamptz' },
    /** The month (`2026-01`); of what came after a month was closed, a later one than that of `occurred_at`. */
    booked_period: { type: 'text' },
    account: { type: 'text' },
    dr_micro: { type: 'bigint' },
    cr_micro: { type: 'bigint' },
    /** Null: the entry is of no one user. */
    user_id: { type: 'uuid', nullable: true },
    lot_id: { type: 'text', nullable: true },
    purchase_id: { type: 'text', nullable: true },
    request_id: { type: 'text', nullable: true },
  },
  key: ['stream', 'revision', 'line_no'],
  indexes: [['account', 'booked_period'], ['user_id', 'account'], ['position']],
});

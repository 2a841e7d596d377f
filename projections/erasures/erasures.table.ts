import { defineTable } from '../../src/kernel/table.ts';

/** How far the erasure of each user who asked for one has come. Nothing of it is shown to users: they are gone. */
export const erasureTable = defineTable({
  name: 'erasure',
  columns: {
    user_id: { type: 'uuid' },
    /** `running`, `blocked` or `completed`. */
    status: { type: 'text' },
    /** The event that was said last. */
    step: { type: 'text' },
    requested_at: { type: 'timestamptz', nullable: true },
    updated_at: { type: 'timestamptz' },
    completed_at: { type: 'timestamptz', nullable: true },
    /** The event that proves the erasure. */
    certificate: { type: 'uuid', nullable: true },
  },
  key: ['user_id'],
  indexes: [['status', 'updated_at'], ['updated_at desc']],
});

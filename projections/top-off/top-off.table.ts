import { defineTable } from '../../src/kernel/table.ts';

/** Where automatic buying stands. */
export const topOffTable = defineTable({
  name: 'top_off',
  columns: {
    user_id: { type: 'uuid' },
    under_way: { type: 'boolean', default: 'false' },
    suspended: { type: 'boolean', default: 'false' },
    /** The event that said so. */
    suspended_by: { type: 'text', nullable: true },
    next_eligible_at: { type: 'timestamptz', nullable: true },
    last_code: { type: 'text', nullable: true },
  },
  key: ['user_id'],
  owner: 'user_id',
});

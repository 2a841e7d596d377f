import { defineTable } from '../../src/kernel/table.ts';

/** What a user may see of the log: the user's own events in log order, without anything sealed. */
export const userFeedTable = defineTable({
  name: 'user_feed',
  columns: {
    position: { type: 'bigint' },
    user_id: { type: 'uuid' },
    type: { type: 'text' },
    stream: { type: 'text' },
    revision: { type: 'bigint' },
    at: { type: 'timestamptz' },
    data: { type: 'jsonb' },
  },
  key: ['user_id', 'position'],
  owner: 'user_id',
  indexes: [['position']],
});

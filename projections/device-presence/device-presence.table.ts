import { defineTable } from '../../src/kernel/table.ts';

/** When each device came and went, for a month. */
export const devicePresenceTable = defineTable({
  name: 'device_presence',
  columns: {
    device_id: { type: 'uuid' },
    revision: { type: 'bigint' },
    user_id: { type: 'uuid' },
    presence: { type: 'text' },
    at: { type: 'timestamptz' },
  },
  key: ['device_id', 'revision'],
  owner: 'user_id',
  retention: { column: 'at', days: 30 },
  indexes: [['device_id', 'at desc'], ['at']],
});

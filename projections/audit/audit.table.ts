import { defineTable } from '../../src/kernel/table.ts';

/** One row an event, for searching; the events themselves are the audit trail, and the hash leads back to them. */
export const auditTable = defineTable({
  name: 'audit',
  columns: {
    event_id: { type: 'text' },
    position: { type: 'bigint' },
    stream: { type: 'text' },
    revision: { type: 'bigint' },
    type: { type: 'text' },
    action: { type: 'text' },
    user_id: { type: 'uuid', nullable: true },
    actor_kind: { type: 'text' },
    actor_id: { type: 'text' },
    occurred_at: { type: 'timestamptz' },
    recorded_at: { type: 'timestamptz' },
    request_id: { type: 'text', nullable: true },
    correlation_id: { type: 'text' },
    hash: { type: 'text' },
  },
  key: ['event_id'],
  owner: 'user_id',
  indexes: [['position desc'], ['user_id', 'position desc'], ['action', 'position desc']],
});

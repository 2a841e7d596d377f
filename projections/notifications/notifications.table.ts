import { defineTable } from '../../src/kernel/table.ts';

/**
 * What users were told, and how far it got. The counts go over all times that the same was told. The content stays
 * sealed: it is opened only to be sent or shown.
 */
export const notificationsTable = defineTable({
  name: 'notifications',
  columns: {
    notification_id: { type: 'uuid' },
    user_id: { type: 'uuid', nullable: true },
    kind: { type: 'text', nullable: true },
    job_id: { type: 'text', nullable: true },
    content: { type: 'jsonb', nullable: true },
    waiting: { type: 'bigint', default: '0' },
    delivered: { type: 'bigint', default: '0' },
    failed: { type: 'bigint', default: '0' },
    last_failure: { type: 'text', nullable: true },
    requested_at: { type: 'timestamptz', nullable: true },
  },
  key: ['notification_id'],
  owner: 'user_id',
  indexes: [['user_id', 'requested_at desc'], ['waiting']],
});

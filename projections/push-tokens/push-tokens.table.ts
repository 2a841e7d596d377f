import { defineTable } from '../../src/kernel/table.ts';

/** Which device each push token reaches. The token itself stays sealed: it is opened only to send. */
export const pushTokensTable = defineTable({
  name: 'push_tokens',
  columns: {
    token_hash: { type: 'text' },
    user_id: { type: 'uuid', nullable: true },
    device_id: { type: 'uuid', nullable: true },
    platform: { type: 'text', nullable: true },
    environment: { type: 'text', nullable: true },
    bundle_id: { type: 'text', nullable: true },
    token: { type: 'jsonb', nullable: true },
    claimed_at: { type: 'timestamptz', nullable: true },
  },
  key: ['token_hash'],
  owner: 'user_id',
  indexes: [['user_id', 'claimed_at desc']],
});

import { defineTable } from '../../src/kernel/table.ts';

/** Every session that was heard of. One that was begun elsewhere and ended here has no start. */
export const sessionsTable = defineTable({
  name: 'sessions',
  columns: {
    session_id: { type: 'uuid' },
    user_id: { type: 'uuid' },
    device_id: { type: 'text', nullable: true },
    started_at: { type: 'timestamptz', nullable: true },
    seen_at: { type: 'timestamptz', nullable: true },
    expires_at: { type: 'timestamptz' },
    ended_at: { type: 'timestamptz', nullable: true },
    /** `signed_out`, or the reason of a revocation. */
    end_reason: { type: 'text', nullable: true },
  },
  key: ['session_id'],
  owner: 'user_id',
  indexes: [['user_id', 'expires_at'], ['expires_at']],
});

import { defineTable } from '../../src/kernel/table.ts';

/** The devices that have an owner. What can be forgotten (name, directory, capabilities) is null once it has been. */
export const devicesTable = defineTable({
  name: 'devices',
  columns: {
    device_id: { type: 'uuid' },
    user_id: { type: 'uuid', nullable: true },
    kind: { type: 'text', nullable: true },
    platform: { type: 'text', nullable: true },
    platform_version: { type: 'text', nullable: true },
    app_version: { type: 'text', nullable: true },
    relay_eligible: { type: 'boolean', default: 'false' },
    presence: { type: 'text', nullable: true },
    name: { type: 'text', nullable: true },
    capabilities: { type: 'jsonb', nullable: true },
    directory: { type: 'text', nullable: true },
    /** The keyed hash of the push token that the device says it has; null: none. */
    push_token_hash: { type: 'text', nullable: true },
    seen_at: { type: 'timestamptz', nullable: true },
    created_at: { type: 'timestamptz', nullable: true },
    updated_at: { type: 'timestamptz', nullable: true },
  },
  key: ['device_id'],
  owner: 'user_id',
  indexes: [['user_id', 'seen_at desc']],
});

import { PUSH_TOKEN, type PushTokenEvent } from '../../src/events/push-token/push-token.events.ts';
import { pushTokenUpcasters } from '../../src/events/push-token/push-token.upcasters.ts';
import { defineProjection } from '../../src/kernel/projection.ts';
import { pushTokensTable as table } from './push-tokens.table.ts';

/** Where notifications can be sent. */
export const pushTokensProjection = defineProjection<PushTokenEvent>({
  name: 'push-tokens',
  version: 1,
  tables: [table],
  streamPrefixes: [`${PUSH_TOKEN}-`],
  upcasters: pushTokenUpcasters,
  on: {
    PushTokenClaimed: ({ data }) => [
      {
        op: 'set',
        table,
        key: { token_hash: data.tokenHash },
        set: {
          user_id: data.userId,
          device_id: data.deviceId,
          platform: data.platform,
          environment: data.environment,
          bundle_id: data.bundleId,
          token: data.token,
          claimed_at: data.at,
        },
      },
    ],
    PushTokenEnvironmentLearned: ({ data }) => [
      { op: 'set', table, key: { token_hash: data.tokenHash }, set: { environment: data.environment } },
    ],
    PushTokenReleased: ({ data }) => [{ op: 'remove', table, key: { token_hash: data.tokenHash } }],
  },
});

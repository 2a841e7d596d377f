import { devicesTable } from '../../projections/devices/devices.table.ts';
import { pushTokensTable } from '../../projections/push-tokens/push-tokens.table.ts';
import type { PushEnvironment } from '../../src/kernel/push.ts';
import { sql, type Query } from '../../src/kernel/query.ts';
import type { Sealed } from '../../src/kernel/vault.ts';

type Row = Readonly<{
  token_hash: string;
  device_id: string;
  platform: string;
  environment: PushEnvironment | null;
  bundle_id: string | null;
  token: Sealed;
}>;

/** A device that a push can reach, its token sealed. */
export type PushTarget = Readonly<{
  tokenHash: string;
  deviceId: string;
  platform: string;
  environment: PushEnvironment | null;
  bundleId: string | null;
  token: Sealed;
}>;

/** Nobody has this many phones; sending stays sending whatever a client registers. */
const MOST = 50;

const view = (row: Row): PushTarget => ({
  tokenHash: row.token_hash,
  deviceId: row.device_id,
  platform: row.platform,
  environment: row.environment,
  bundleId: row.bundle_id,
  token: row.token,
});

/**
 * By which tokens can this user's devices be reached? Only by one that the device, still this user's, says is its own: a
 * token that was to be released and is not yet is none. Connected or not; those handed in last come first.
 */
export const pushTargets = (userId: string): Query<Row, readonly PushTarget[]> => ({
  statement: sql`
    select * from (
      select distinct on (held.device_id)
             held.token_hash, held.device_id, held.platform, held.environment, held.bundle_id, held.token, held.claimed_at
      from ${pushTokensTable} held
      join ${devicesTable} own
        on own.device_id = held.device_id and own.user_id = held.user_id and own.push_token_hash = held.token_hash
      where held.user_id = ${userId}
      order by held.device_id, held.claimed_at desc, held.token_hash) newest
    order by claimed_at desc, device_id
    limit ${MOST}`,
  present: (rows) => rows.map(view),
});

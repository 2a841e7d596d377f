import { devicesTable } from '../../projections/devices/devices.table.ts';
import { pushTokensTable } from '../../projections/push-tokens/push-tokens.table.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type Row = Readonly<{ token_hash: string; device_id: string; user_id: string }>;

/** A token, and the device that it was claimed for. */
export type HeldToken = Readonly<{ tokenHash: string; deviceId: string; userId: string }>;

const held = (rows: readonly Row[]): readonly HeldToken[] =>
  rows.map((row) => ({ tokenHash: row.token_hash, deviceId: row.device_id, userId: row.user_id }));

/** Which tokens, claimed before an instant, are not those of their devices any more? The oldest first. For the system role. */
export const stalePushTokens = (before: IsoTime, limit: number): Query<Row, readonly HeldToken[]> => ({
  statement: sql`
    select held.token_hash, held.device_id, held.user_id from ${pushTokensTable} held
    where held.claimed_at < ${before} and held.user_id is not null and not exists (
      select from ${devicesTable} own
      where own.device_id = held.device_id and own.user_id = held.user_id and own.push_token_hash = held.token_hash)
    order by held.claimed_at, held.token_hash limit ${limit}`,
  present: held,
});

/** Which push tokens of this user are not released? For the system role. */
export const pushTokensOf = (userId: string): Query<Row, readonly HeldToken[]> => ({
  statement: sql`
    select token_hash, device_id, user_id from ${pushTokensTable} where user_id = ${userId} order by token_hash`,
  present: held,
});

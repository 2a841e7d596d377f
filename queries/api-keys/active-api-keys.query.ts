import { apiKeyTable } from '../../projections/api-keys/api-keys.table.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

/** How many API keys of this user can be used at `now`? */
export const activeApiKeys = (userId: string, now: IsoTime): Query<Readonly<{ keys: bigint }>, number> => ({
  statement: sql`
    select count(*) as keys from ${apiKeyTable}
    where user_id = ${userId} and revoked_at is null and (expires_at is null or expires_at > ${now}::timestamptz)`,
  present: ([row]) => Number(row?.keys ?? 0n),
});

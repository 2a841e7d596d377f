import { creditLotTable } from '../../projections/balance/balance.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

/** Users with promo credit whose time is over but whose account has not written it down yet, at most `limit`. */
export const usersWithExpiredCredit = (
  now: Date,
  limit: number,
): Query<Readonly<{ user_id: string }>, readonly string[]> => ({
  statement: sql`
    select distinct user_id from ${creditLotTable}
    where kind = 'promo' and remaining_micro > 0 and expires_at <= ${now.toISOString()} limit ${limit}`,
  present: (rows) => rows.map(({ user_id }) => user_id),
});

import { creditBalanceTable } from '../../projections/balance/balance.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

/** Users whose account has events in a month that is over and not closed, at most `limit`; for the system. */
export const usersWithUnclosedBooks = (
  now: Date,
  limit: number,
): Query<Readonly<{ user_id: string }>, readonly string[]> => ({
  statement: sql`
    select user_id from ${creditBalanceTable}
    where book_month < ${now.toISOString().slice(0, 7)} order by book_month, user_id limit ${limit}`,
  present: (rows) => rows.map(({ user_id }) => user_id),
});

import { creditBalanceTable, creditLotTable, openHoldTable } from '../../projections/balance/balance.table.ts';
import { journalTable } from '../../projections/journal/journal.table.ts';
import { ledgerTable } from '../../projections/ledger/ledger.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type Row = Readonly<{ user_id: string; what: string; one: bigint; other: bigint }>;

/** Two read models that do not agree about a user, in micro-USD. */
export type Disagreement = Readonly<{ userId: string; what: string; one: string; other: string }>;

/** Where do balances, lots, holds, ledger and journal of the read models not agree? They must all be at the same point. */
export const disagreements = (limit: number): Query<Row, readonly Disagreement[]> => ({
  statement: sql`
    with books as (
      select user_id,
             coalesce(sum(cr_micro - dr_micro) filter (where account = '2000'), 0)::bigint as paid,
             coalesce(sum(cr_micro - dr_micro) filter (where account = '2010'), 0)::bigint as promo,
             coalesce(sum(cr_micro - dr_micro) filter (where account in ('2100', '2110')), 0)::bigint as held,
             coalesce(sum(dr_micro - cr_micro) filter (where account = '1100'), 0)::bigint as owed
      from ${journalTable} group by user_id
    ), lots as (
      select user_id, coalesce(sum(remaining_micro), 0)::bigint as remaining, coalesce(sum(held_micro), 0)::bigint as held
      from ${creditLotTable} group by user_id
    ), holds as (
      select user_id, coalesce(sum(held_micro), 0)::bigint as held from ${openHoldTable} group by user_id
    ), lines as (
      select user_id, coalesce(sum(net_micro), 0)::bigint as net from ${ledgerTable} group by user_id
    ), pairs as (
      select balance.user_id, pair.what, pair.one, pair.other
      from ${creditBalanceTable} balance
      left join books on books.user_id = balance.user_id
      left join lots on lots.user_id = balance.user_id
      left join holds on holds.user_id = balance.user_id
      left join lines on lines.user_id = balance.user_id
      cross join lateral (values
        ('paid: balance and journal', balance.paid_micro, coalesce(books.paid, 0)),
        ('promo: balance and journal', balance.promo_micro, coalesce(books.promo, 0)),
        ('on hold: balance and journal', balance.held_micro, coalesce(books.held, 0)),
        ('owed: balance and journal', balance.shortfall_micro, coalesce(books.owed, 0)),
        ('free: balance and lots', balance.paid_micro + balance.promo_micro, coalesce(lots.remaining, 0)),
        ('on hold: balance and lots', balance.held_micro, coalesce(lots.held, 0)),
        ('on hold: balance and holds', balance.held_micro, coalesce(holds.held, 0)),
        ('all: balance and ledger',
         balance.paid_micro + balance.promo_micro + balance.held_micro - balance.shortfall_micro,
         coalesce(lines.net, 0))
      ) as pair (what, one, other)
    )
    select user_id, what, one, other from pairs where one <> other order by user_id, what limit ${limit}`,
  present: (rows) =>
    rows.map((row) => ({ userId: row.user_id, what: row.what, one: String(row.one), other: String(row.other) })),
});

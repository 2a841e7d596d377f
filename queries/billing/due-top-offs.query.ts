import { creditLotTable } from '../../projections/balance/balance.table.ts';
import { billingProfileTable } from '../../projections/billing-profile/billing-profile.table.ts';
import { topOffTable } from '../../projections/top-off/top-off.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

/**
 * For whom should something be bought at `now`, or gone on with? By chance, so that those who wait for days, for a bank
 * debit for one, do not keep the others waiting.
 */
export const dueTopOffs = (now: string, limit: number): Query<Readonly<{ user_id: string }>, readonly string[]> => ({
  statement: sql`
    select profile.user_id from ${billingProfileTable} profile
    left join ${topOffTable} top_off on top_off.user_id = profile.user_id
    where coalesce(top_off.under_way, false) or (
      profile.top_off_enabled and not coalesce(top_off.suspended, false)
      and (top_off.next_eligible_at is null or top_off.next_eligible_at <= ${now})
      and profile.top_off_threshold_micro > (
        select coalesce(sum(lot.remaining_micro), 0) from ${creditLotTable} lot
        where lot.user_id = profile.user_id and lot.kind = 'paid'
      )
    )
    order by random() limit ${limit}`,
  present: (rows) => rows.map((row) => row.user_id),
});

import { purchaseTable } from '../../projections/purchases/purchases.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

/**
 * Which purchases should be looked at, because no notice may come any more? Those begun between `from` and `to` that
 * are not done with, and every one that is paid and not credited; by chance, so that those that never end do not keep
 * the others from being looked at.
 */
export const unfinishedPurchases = (
  from: string,
  to: string,
  limit: number,
): Query<Readonly<{ purchase_id: string }>, readonly string[]> => ({
  statement: sql`
    select purchase_id from ${purchaseTable}
    where (state in ('open', 'pending', 'failed') and initiated_at between ${from} and ${to})
       or (state = 'paid' and updated_at <= ${to})
    order by random() limit ${limit}`,
  present: (rows) => rows.map((row) => row.purchase_id),
});

import { purchaseTable } from '../../projections/purchases/purchases.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

/** Which purchases of this user have money on its way, or are paid, and neither credited nor given back? For the system role. */
export const paymentsUnderWay = (userId: string): Query<Readonly<{ purchase_id: string }>, readonly string[]> => ({
  statement: sql`
    select purchase_id from ${purchaseTable}
    where user_id = ${userId} and state in ('pending', 'paid') and refunded_minor < gross_minor + tax_minor
    order by initiated_at`,
  present: (rows) => rows.map((row) => row.purchase_id),
});

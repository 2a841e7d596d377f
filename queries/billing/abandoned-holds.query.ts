import { openHoldTable } from '../../projections/balance/balance.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type HoldRow = Readonly<{ user_id: string; reservation_id: string; lease_until: string }>;

/** A hold whose owner has not renewed it in time. */
export type AbandonedHold = Readonly<{ userId: string; reservationId: string; leaseUntil: string }>;

/** Which holds of all users had their lease end before `before` (ISO)? The longest abandoned first; for the system. */
export const abandonedHolds = (before: string, limit: number): Query<HoldRow, readonly AbandonedHold[]> => ({
  statement: sql`
    select user_id, reservation_id, lease_until
    from ${openHoldTable}
    where lease_until < ${before}::timestamptz
    order by lease_until, user_id, reservation_id
    limit ${limit}`,
  present: (rows) =>
    rows.map((row) => ({
      userId: row.user_id,
      reservationId: row.reservation_id,
      leaseUntil: row.lease_until,
    })),
});

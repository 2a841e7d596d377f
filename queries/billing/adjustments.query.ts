import { adjustmentTable } from '../../projections/adjustments/adjustments.table.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import { sql, type Query } from '../../src/kernel/query.ts';
import { pageOf, type Page, type PageRow, type Paging } from './page.ts';

type AdjustmentRow = Readonly<{
  user_id: string;
  adjustment_id: string;
  status: string;
  amount_micro: bigint;
  bucket: string;
  reason_code: string;
  note: string | null;
  requested_by: string;
  decided_by: string | null;
  requested_at: string;
  decided_at: string | null;
}>;

/** A balance changed by hand, or the wish for it. Instants are ISO. */
export type AdjustmentEntry = Readonly<{
  userId: string;
  adjustmentId: string;
  status: string;
  amount: MicroUsd;
  bucket: string;
  reasonCode: string;
  note: string | null;
  requestedBy: string;
  decidedBy: string | null;
  requestedAt: string;
  decidedAt: string | null;
}>;

const view = (row: AdjustmentRow): AdjustmentEntry => ({
  userId: row.user_id,
  adjustmentId: row.adjustment_id,
  status: row.status,
  amount: row.amount_micro,
  bucket: row.bucket,
  reasonCode: row.reason_code,
  note: row.note,
  requestedBy: row.requested_by,
  decidedBy: row.decided_by,
  requestedAt: row.requested_at,
  decidedAt: row.decided_at,
});

/** Which adjustments are there, newest first? `status` null: any. For administrators. */
export const adjustments = (
  status: string | null,
  paging: Paging,
): Query<PageRow<AdjustmentRow>, Page<AdjustmentEntry>> => ({
  statement: sql`
    with found as (
      select * from ${adjustmentTable} where (${status}::text is null or status = ${status})
    ), page as (
      select * from found order by requested_at desc, adjustment_id limit ${paging.limit} offset ${paging.offset}
    )
    select counted.total, page.*
    from (select count(*) as total from found) counted left join page on true
    order by page.requested_at desc, page.adjustment_id`,
  present: (rows) => pageOf(rows, paging, 'adjustment_id', view),
});

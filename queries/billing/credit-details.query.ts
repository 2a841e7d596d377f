import { ledgerTable } from '../../projections/ledger/ledger.table.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import { sql, type Query } from '../../src/kernel/query.ts';
import { pageOf, type Page, type PageRow, type Paging } from './page.ts';

type LedgerRow = Readonly<{
  entry_id: string;
  type: string;
  net_micro: bigint;
  gross_micro: bigint | null;
  fee_micro: bigint | null;
  balance_after_micro: bigint;
  description: string;
  charge_ref: string | null;
  request_id: string | null;
  at: string;
}>;

type Sums = Readonly<{ purchased: bigint; consumed: bigint; refunded: bigint; net: bigint }>;

/** One line of the ledger. `at` is ISO. */
export type LedgerEntry = Readonly<{
  id: string;
  type: string;
  net: MicroUsd;
  gross: MicroUsd | null;
  fee: MicroUsd | null;
  balanceAfter: MicroUsd;
  description: string;
  chargeRef: string | null;
  requestId: string | null;
  at: string;
}>;

/** A page of the ledger and the sums over all of it. `consumed` is negative; `refunded` is what
 * went back to the payer or is disputed; `net` is the sum of all lines. */
export type CreditDetails = Page<LedgerEntry> &
  Readonly<{ purchased: MicroUsd; consumed: MicroUsd; refunded: MicroUsd; net: MicroUsd }>;

const view = (row: LedgerRow): LedgerEntry => ({
  id: row.entry_id,
  type: row.type,
  net: row.net_micro,
  gross: row.gross_micro,
  fee: row.fee_micro,
  balanceAfter: row.balance_after_micro,
  description: row.description,
  chargeRef: row.charge_ref,
  requestId: row.request_id,
  at: row.at,
});

/** What stands in this user's ledger, newest first? */
export const creditDetails = (userId: string, paging: Paging): Query<PageRow<LedgerRow> & Sums, CreditDetails> => ({
  statement: sql`
    with sums as (
      select count(*) as total,
             coalesce(sum(net_micro) filter (where type = 'purchase'), 0)::bigint as purchased,
             coalesce(sum(net_micro) filter (where type = 'consumption'), 0)::bigint as consumed,
             coalesce(-sum(net_micro) filter (where type in ('refund', 'refund_adjustment')), 0)::bigint as refunded,
             coalesce(sum(net_micro), 0)::bigint as net
      from ${ledgerTable}
      where user_id = ${userId}
    ), page as (
      select entry_id, type, net_micro, gross_micro, fee_micro, balance_after_micro, description, charge_ref,
             request_id, at, revision, line
      from ${ledgerTable}
      where user_id = ${userId}
      order by revision desc, line desc
      limit ${paging.limit} offset ${paging.offset}
    )
    select sums.*, page.*
    from sums left join page on true
    order by page.revision desc, page.line desc`,
  present: (rows) => {
    const sums = rows[0];
    return {
      ...pageOf<LedgerRow, LedgerEntry>(rows, paging, 'entry_id', view),
      purchased: sums?.purchased ?? 0n,
      consumed: sums?.consumed ?? 0n,
      refunded: sums?.refunded ?? 0n,
      net: sums?.net ?? 0n,
    };
  },
});

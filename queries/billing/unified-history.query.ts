import { unifiedHistoryTable } from '../../projections/ledger/ledger.table.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import { sql, type Query } from '../../src/kernel/query.ts';
import { pageOf, type Page, type PageRow, type Paging } from './page.ts';

type HistoryRow = Readonly<{
  id: string;
  at: string;
  type: string;
  price_micro: bigint;
  model: string;
  input_tokens: bigint | null;
  output_tokens: bigint | null;
  cache_write_tokens: bigint | null;
  cache_read_tokens: bigint | null;
  balance_after_micro: bigint;
  description: string;
}>;

/** Something that happened to the user's credits. Spending is negative. `at` is ISO. */
export type HistoryEntry = Readonly<{
  id: string;
  at: string;
  type: string;
  price: MicroUsd;
  model: string;
  inputTokens: number | null;
  outputTokens: number | null;
  cacheWriteTokens: number | null;
  cacheReadTokens: number | null;
  balanceAfter: MicroUsd;
  description: string;
}>;

const numberOrNull = (count: bigint | null): number | null => (count === null ? null : Number(count));

const view = (row: HistoryRow): HistoryEntry => ({
  id: row.id,
  at: row.at,
  type: row.type,
  price: row.price_micro,
  model: row.model,
  inputTokens: numberOrNull(row.input_tokens),
  outputTokens: numberOrNull(row.output_tokens),
  cacheWriteTokens: numberOrNull(row.cache_write_tokens),
  cacheReadTokens: numberOrNull(row.cache_read_tokens),
  balanceAfter: row.balance_after_micro,
  description: row.description,
});

/** `search` is looked for in descriptions as it stands, in any case; empty finds all. `everything` adds grants and so on. */
export type HistoryFilter = Readonly<{ search: string; everything: boolean }>;

/** What happened to this user's credits, newest first? */
export const unifiedHistory = (
  userId: string,
  { search, everything }: HistoryFilter,
  paging: Paging,
): Query<PageRow<HistoryRow>, Page<HistoryEntry>> => ({
  statement: sql`
    with found as (
      select id, at, type, price_micro, model, input_tokens, output_tokens, cache_write_tokens, cache_read_tokens,
             balance_after_micro, description
      from ${unifiedHistoryTable}
      where user_id = ${userId} and (${everything} or type in ('usage', 'purchase'))
        and strpos(lower(description), lower(${search}::text)) > 0
    ), page as (
      select * from found order by at desc, id limit ${paging.limit} offset ${paging.offset}
    )
    select counted.total, page.*
    from (select count(*) as total from found) counted left join page on true
    order by page.at desc, page.id`,
  present: (rows) => pageOf(rows, paging, 'id', view),
});

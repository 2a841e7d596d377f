import { usageDailyTable, usageRequestTable } from '../../projections/usage/usage.table.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type UsageRow = Readonly<{
  model_id: string;
  charged: bigint;
  requests: bigint;
  input_tokens: bigint;
  output_tokens: bigint;
  cached_tokens: bigint;
  duration_ms: bigint;
}>;

/** What a user used of one model. Input includes cached tokens; output includes reasoning. */
export type ModelUsage = Readonly<{
  modelId: string;
  charged: MicroUsd;
  requests: number;
  inputTokens: number;
  outputTokens: number;
  cachedTokens: number;
  durationMs: number;
}>;

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * A range cut at midnight UTC: whole days, whose sums are kept, and the requests before and after them. Milliseconds
 * since the epoch; `firstDay` to `lastDay` is half open and empty when the range holds no whole day.
 */
const wholeDays = (start: number, end: number): Readonly<{ firstDay: number; lastDay: number }> => {
  const firstDay = Math.ceil(start / DAY_MS) * DAY_MS;
  // The range includes its end: a day that ends with it is whole.
  const lastDay = Math.floor((end + 1) / DAY_MS) * DAY_MS;
  return lastDay > firstDay ? { firstDay, lastDay } : { firstDay: end + 1, lastDay: end + 1 };
};

const isoAt = (milliseconds: number): string => new Date(milliseconds).toISOString();

const view = (row: UsageRow): ModelUsage => ({
  modelId: row.model_id,
  charged: row.charged,
  requests: Number(row.requests),
  inputTokens: Number(row.input_tokens),
  outputTokens: Number(row.output_tokens),
  cachedTokens: Number(row.cached_tokens),
  durationMs: Number(row.duration_ms),
});

/** What did this user use from `start` to `end`, both inclusive, in milliseconds since the epoch? Dearest model first. */
export const usageSummary = (userId: string, start: number, end: number): Query<UsageRow, readonly ModelUsage[]> => {
  const { firstDay, lastDay } = wholeDays(start, end);
  return {
    statement: sql`
    with part as (
      select model_id, charged_micro, requests, input_tokens, output_tokens, cached_tokens, duration_ms
      from ${usageDailyTable}
      where user_id = ${userId} and day >= ${isoAt(firstDay).slice(0, 10)} and day < ${isoAt(lastDay).slice(0, 10)}
      union all
      select model_id, charged_micro, 1, input_uncached + input_cached_read + input_cache_write,
             output_visible + output_reasoning, input_cached_read + input_cache_write, duration_ms
      from ${usageRequestTable}
      where user_id = ${userId}
        and (   (ended_at >= ${isoAt(start)}::timestamptz and ended_at < ${isoAt(firstDay)}::timestamptz)
             or (ended_at >= ${isoAt(lastDay)}::timestamptz and ended_at < ${isoAt(end + 1)}::timestamptz))
    )
    select model_id, sum(charged_micro)::bigint as charged, sum(requests)::bigint as requests,
           sum(input_tokens)::bigint as input_tokens, sum(output_tokens)::bigint as output_tokens,
           sum(cached_tokens)::bigint as cached_tokens, sum(duration_ms)::bigint as duration_ms
    from part
    group by model_id
    order by charged desc, model_id`,
    present: (rows) => rows.map(view),
  };
};

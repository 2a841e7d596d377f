import { usageRequestTable } from '../../projections/usage/usage.table.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type UsageRow = Readonly<{
  user_id: string;
  request_id: string;
  model_id: string;
  provider: string;
  kind: string;
  task_type: string;
  price_version: string;
  input_uncached: bigint;
  input_cached_read: bigint;
  input_cache_write: bigint;
  output_visible: bigint;
  output_reasoning: bigint;
  usage_source: string;
  estimated: boolean;
  cost_micro: bigint;
  charged_micro: bigint;
  ended_by: string;
  ended_at: string;
}>;

/** What one request used, how that is known, and what it cost. `endedAt` is ISO. */
export type ProviderUsage = Readonly<{
  requestId: string;
  userId: string;
  modelId: string;
  provider: string;
  kind: string;
  taskType: string;
  priceVersion: string;
  inputTokens: number;
  outputTokens: number;
  cacheWriteTokens: number;
  cacheReadTokens: number;
  usageSource: string;
  estimated: boolean;
  cost: MicroUsd;
  charged: MicroUsd;
  endedBy: string;
  endedAt: string;
}>;

const view = (row: UsageRow): ProviderUsage => ({
  requestId: row.request_id,
  userId: row.user_id,
  modelId: row.model_id,
  provider: row.provider,
  kind: row.kind,
  taskType: row.task_type,
  priceVersion: row.price_version,
  inputTokens: Number(row.input_uncached + row.input_cached_read + row.input_cache_write),
  outputTokens: Number(row.output_visible + row.output_reasoning),
  cacheWriteTokens: Number(row.input_cache_write),
  cacheReadTokens: Number(row.input_cached_read),
  usageSource: row.usage_source,
  estimated: row.estimated,
  cost: row.cost_micro,
  charged: row.charged_micro,
  endedBy: row.ended_by,
  endedAt: row.ended_at,
});

/** Null: of any. `model` is a model's id. */
export type ProviderUsageFilter = Readonly<{ userId: string | null; model: string | null; limit: number }>;

/** What did requests use, newest first? For administrators. */
export const providerUsage = ({
  userId,
  model,
  limit,
}: ProviderUsageFilter): Query<UsageRow, readonly ProviderUsage[]> => ({
  statement: sql`
    select user_id, request_id, model_id, provider, kind, task_type, price_version, input_uncached, input_cached_read,
           input_cache_write, output_visible, output_reasoning, usage_source, estimated, cost_micro, charged_micro,
           ended_by, ended_at
    from ${usageRequestTable}
    where (${userId}::uuid is null or user_id = ${userId}) and (${model}::text is null or model_id = ${model})
    order by ended_at desc, request_id
    limit ${limit}`,
  present: (rows) => rows.map(view),
});

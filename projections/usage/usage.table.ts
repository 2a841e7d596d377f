import { defineTable } from '../../src/kernel/table.ts';

/** One row a charged request. Token classes do not overlap. */
export const usageRequestTable = defineTable({
  name: 'usage_request',
  columns: {
    user_id: { type: 'uuid' },
    request_id: { type: 'text' },
    kind: { type: 'text' },
    task_type: { type: 'text' },
    model_id: { type: 'text' },
    provider: { type: 'text' },
    price_version: { type: 'text' },
    /** The API key that it was asked for with; null: somebody who was signed in asked. */
    api_key_id: { type: 'uuid', nullable: true },
    streamed: { type: 'boolean' },
    input_uncached: { type: 'bigint' },
    input_cached_read: { type: 'bigint' },
    input_cache_write: { type: 'bigint' },
    output_visible: { type: 'bigint' },
    output_reasoning: { type: 'bigint' },
    usage_source: { type: 'text' },
    complete: { type: 'boolean' },
    estimated: { type: 'boolean' },
    cost_micro: { type: 'bigint' },
    charged_micro: { type: 'bigint' },
    finish: { type: 'text', nullable: true },
    ended_by: { type: 'text' },
    upstream_id: { type: 'text', nullable: true },
    started_at: { type: 'timestamptz' },
    ended_at: { type: 'timestamptz' },
    duration_ms: { type: 'bigint' },
  },
  key: ['user_id', 'request_id'],
  owner: 'user_id',
  indexes: [['user_id', 'ended_at']],
});

/** Sums by user, UTC day (`YYYY-MM-DD`) of the charge and model. */
export const usageDailyTable = defineTable({
  name: 'usage_daily',
  columns: {
    user_id: { type: 'uuid' },
    day: { type: 'text' },
    model_id: { type: 'text' },
    requests: { type: 'bigint', default: '0' },
    input_tokens: { type: 'bigint', default: '0' },
    output_tokens: { type: 'bigint', default: '0' },
    cached_tokens: { type: 'bigint', default: '0' },
    charged_micro: { type: 'bigint', default: '0' },
    duration_ms: { type: 'bigint', default: '0' },
  },
  key: ['user_id', 'day', 'model_id'],
  owner: 'user_id',
});

import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { creditAccountUpcasters } from '../../src/events/credit-account/credit-account.upcasters.ts';
import { microOf } from '../../src/kernel/money.ts';
import { defineProjection, type Projected, type RowOp } from '../../src/kernel/projection.ts';
import { cachedTokens, completionTokens, promptTokens, uncachedTokens, visibleTokens } from '../../src/kernel/usage.ts';
import { accountOwner, creditAccountStreams } from '../balance/account-owner.ts';
import { chargedFor } from '../balance/charge.ts';
import { usageDailyTable, usageRequestTable } from './usage.table.ts';

type Captured = Projected<Extract<CreditAccountEvent, { type: 'ReservationCaptured' }>>;

const request = ({ stream, data }: Captured): RowOp => {
  const { work, metered } = data;
  const { usage } = metered;
  return {
    op: 'insert',
    table: usageRequestTable,
    row: {
      user_id: accountOwner(stream),
      request_id: data.reservationId,
      kind: work.kind,
      task_type: work.taskType,
      model_id: work.modelId,
      provider: work.provider,
      price_version: work.priceVersion,
      api_key_id: work.apiKeyId ?? null,
      streamed: work.streamed,
      input_uncached: BigInt(uncachedTokens(usage)),
      input_cached_read: BigInt(cachedTokens(usage)),
      input_cache_write: BigInt(usage.inputCacheWrite),
      output_visible: BigInt(visibleTokens(usage)),
      output_reasoning: BigInt(usage.outputReasoning),
      usage_source: usage.source,
      complete: usage.complete,
      estimated: data.estimated,
      cost_micro: microOf(metered.cost),
      charged_micro: chargedFor(data),
      finish: data.finish,
      ended_by: data.endedBy,
      upstream_id: data.upstreamId,
      started_at: data.startedAt,
      ended_at: data.at,
      duration_ms: BigInt(Math.round(data.durationMs)),
    },
  };
};

const day = ({ stream, data }: Captured): RowOp => {
  const { usage } = data.metered;
  return {
    op: 'add',
    table: usageDailyTable,
    key: { user_id: accountOwner(stream), day: data.at.slice(0, 10), model_id: data.work.modelId },
    add: {
      requests: 1n,
      input_tokens: BigInt(promptTokens(usage)),
      output_tokens: BigInt(completionTokens(usage)),
      cached_tokens: BigInt(cachedTokens(usage) + usage.inputCacheWrite),
      charged_micro: chargedFor(data),
      duration_ms: BigInt(Math.round(data.durationMs)),
    },
  };
};

/** What each request used and cost, and its sums by day and model. */
export const usageProjection = defineProjection<CreditAccountEvent>({
  name: 'usage',
  version: 3,
  tables: [usageRequestTable, usageDailyTable],
  streamPrefixes: creditAccountStreams,
  upcasters: creditAccountUpcasters,
  on: { ReservationCaptured: (event) => [request(event), day(event)] },
});

import { z } from 'zod';
import { usageSummary, type ModelUsage } from '../../../../queries/billing/usage-summary.query.ts';
import { usdNumber } from '../../../kernel/money.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

/** What the catalogue calls a model and who runs it; undefined when it does not know it. */
export type ModelName = (modelId: string) => Readonly<{ name: string; provider: string }> | undefined;

/** Before the first and after the last of these there is nothing; dates beyond them would be no dates to a database. */
const EARLIEST = Date.parse('2000-01-01T00:00:00Z');
const LATEST = Date.parse('2999-12-31T00:00:00Z');

/** A plus sign that was sent without encoding arrives as a space. */
const instant = z.preprocess(
  (text) => (typeof text === 'string' ? text.replace(/ (\d\d:\d\d)$/, '+$1') : text),
  z.iso.datetime({ offset: true }).transform((text) => Math.min(Math.max(Date.parse(text), EARLIEST), LATEST)),
);

const query = z
  .object({ start_date: instant, end_date: instant })
  .refine(({ start_date: start, end_date: end }) => start <= end, 'start_date must not be after end_date');

type Sums = Omit<ModelUsage, 'modelId'>;

const NOTHING: Sums = { charged: 0n, requests: 0, inputTokens: 0, outputTokens: 0, cachedTokens: 0, durationMs: 0 };

const plus = (a: Sums, b: Sums): Sums => ({
  charged: a.charged + b.charged,
  requests: a.requests + b.requests,
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  cachedTokens: a.cachedTokens + b.cachedTokens,
  durationMs: a.durationMs + b.durationMs,
});

const totals = (sums: Sums) => ({
  totalCost: usdNumber(sums.charged),
  totalRequests: sums.requests,
  totalInputTokens: sums.inputTokens,
  totalOutputTokens: sums.outputTokens,
  totalCachedTokens: sums.cachedTokens,
  totalDurationMs: sums.durationMs,
});

type Deps = Readonly<{ queries: Pick<QueryRunner, 'asUser'>; modelName: ModelName }>;

/** What the user used of each model in a range of time, dearest first. */
export const usageSummaryEndpoint = ({ queries, modelName }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/billing/usage-summary',
    limit: 'read',
    scope: 'account',
    query,
    handle: async ({ query: range }, { userId }) => {
      const models = await queries.asUser(userId, usageSummary(userId, range.start_date, range.end_date));
      const detailedUsage = models.map((usage) => ({
        serviceName: usage.modelId,
        modelDisplayName: modelName(usage.modelId)?.name ?? usage.modelId,
        providerCode: modelName(usage.modelId)?.provider ?? 'unknown',
        ...totals(usage),
      }));
      return json(200, { detailedUsage, summary: totals(models.reduce<Sums>(plus, NOTHING)) });
    },
  });

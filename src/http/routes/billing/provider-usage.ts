import { z } from 'zod';
import { providerUsage, type ProviderUsage } from '../../../../queries/billing/provider-usage.query.ts';
import { usdText } from '../../../kernel/money.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { adminEndpoint, json, type Endpoint } from '../../endpoint.ts';
import { userId } from './money-bodies.ts';

const USUAL = 200;
const MOST = 1000;

const query = z.object({
  limit: z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number that is not negative')
    .transform((text) => Math.min(Math.max(Number(text), 1), MOST))
    .default(USUAL),
  user_id: userId.optional(),
  service_name: z.string().min(1).max(200).optional(),
});

/** How the cost of a request is known: by the provider's final count, or by our own. */
const methodOf = ({ estimated, usageSource }: ProviderUsage): string => (estimated ? 'estimated' : usageSource);

const presented = (usage: ProviderUsage) => ({
  id: usage.requestId,
  userId: usage.userId,
  serviceName: usage.modelId,
  tokensInput: usage.inputTokens,
  tokensOutput: usage.outputTokens,
  cachedInputTokens: usage.cacheReadTokens + usage.cacheWriteTokens,
  cacheWriteTokens: usage.cacheWriteTokens,
  cacheReadTokens: usage.cacheReadTokens,
  cost: usdText(usage.cost),
  timestamp: usage.endedAt,
  requestId: usage.requestId,
  metadata: {
    provider: usage.provider,
    kind: usage.kind,
    taskType: usage.taskType,
    priceVersion: usage.priceVersion,
    endedBy: usage.endedBy,
    charged: usdText(usage.charged),
  },
  costResolutionMethod: methodOf(usage),
  effectiveModelId: usage.modelId,
});

const distinct = (values: readonly string[]): readonly string[] => [...new Set(values)].sort();

/** What requests used and cost, newest first, for administrators. */
export const providerUsageEndpoint = ({ queries }: Readonly<{ queries: Pick<QueryRunner, 'asSystem'> }>): Endpoint =>
  adminEndpoint({
    method: 'GET',
    path: '/api/billing/usage/providers',
    limit: 'read',
    query,
    handle: async ({ query: { limit, user_id: user, service_name: model } }) => {
      const records = await queries.asSystem(providerUsage({ userId: user ?? null, model: model ?? null, limit }));
      return json(200, {
        records: records.map(presented),
        totalRecords: records.length,
        queryLimit: limit,
        debugInfo: {
          costResolutionMethods: distinct(records.map(methodOf)),
          serviceNamesFound: distinct(records.map(({ modelId }) => modelId)),
          usersFound: distinct(records.map(({ userId: found }) => found)),
          dateRange: { earliestRecord: records.at(-1)?.endedAt ?? null, latestRecord: records[0]?.endedAt ?? null },
        },
      });
    },
  });

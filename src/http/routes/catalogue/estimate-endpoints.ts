import { z } from 'zod';
import { resolveModel, type Catalogue } from '../../../kernel/catalogue.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { costOf, usdTextOfPico, type Cost } from '../../../kernel/pricing.ts';
import type { TokenCounter } from '../../../kernel/tokens-estimate.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

type Deps = Readonly<{ catalogue: () => Catalogue; counter: TokenCounter }>;

const MOST_TOKENS = 1_000_000_000;
const MOST_ESTIMATES = 1_000;
const MOST_TEXT_BYTES = 32 * 1024 * 1024;

const tokens = z.number();

const costBody = z.object({
  modelId: z.string(),
  inputTokens: tokens,
  outputTokens: tokens,
  cacheWriteTokens: tokens.nullish(),
  cacheReadTokens: tokens.nullish(),
});

const batchBody = z.object({ requests: z.array(costBody).max(MOST_ESTIMATES) });

const tokensBody = z.object({ model: z.string(), text: z.string() });

type CostBody = z.infer<typeof costBody>;

const lineText = ({ lines }: Cost, name: string): string | null => {
  const line = lines.find((candidate) => candidate.class === name);
  return line === undefined ? null : usdTextOfPico(line.cost);
};

const checkCounts = (counts: Readonly<Record<string, number>>): void => {
  for (const [name, count] of Object.entries(counts)) {
    if (Number.isInteger(count) && count >= 0 && count <= MOST_TOKENS) continue;
    throw new DomainError('invalid_argument', `${name} must be a whole number from 0 to ${MOST_TOKENS}`);
  }
};

/** The exact cost of these tokens. `inputTokens` includes those that were cached. */
const estimate = (catalogue: Catalogue, body: CostBody): Readonly<{ pico: bigint; view: object }> => {
  const { modelId, inputTokens, outputTokens } = body;
  const resolved = resolveModel(catalogue, modelId);
  if (resolved === undefined) throw new DomainError('not_found', 'no such model; GET /api/models lists them');
  const inputCacheWrite = body.cacheWriteTokens ?? 0;
  const inputCachedRead = body.cacheReadTokens ?? 0;
  checkCounts({ inputTokens, outputTokens, cacheWriteTokens: inputCacheWrite, cacheReadTokens: inputCachedRead });
  const inputUncached = inputTokens - inputCacheWrite - inputCachedRead;
  if (inputUncached < 0) {
    throw new DomainError('invalid_argument', 'inputTokens must include the cached tokens; it is less than they are');
  }
  const counts = { inputUncached, inputCachedRead, inputCacheWrite, outputVisible: outputTokens, outputReasoning: 0 };
  const cost = costOf({ ...counts, source: 'counted', complete: true }, resolved.model.price);
  return {
    pico: cost.pico,
    view: {
      ...{ modelId, inputTokens, outputTokens },
      cacheWriteTokens: inputCacheWrite,
      cacheReadTokens: inputCachedRead,
      estimatedCost: usdTextOfPico(cost.pico),
      costBreakdown: {
        inputCost: lineText(cost, 'input') ?? '0',
        outputCost: lineText(cost, 'output') ?? '0',
        cacheWriteCost: lineText(cost, 'input_cache_write'),
        cacheReadCost: lineText(cost, 'input_cache_read'),
      },
      pricingModel: 'per token, by class; USD',
    },
  };
};

/** POST /api/models/estimate-cost. */
const estimateCost = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/models/estimate-cost',
    limit: 'read',
    scope: 'models',
    body: costBody,
    handle: ({ body }) => Promise.resolve(json(200, estimate(catalogue(), body).view)),
  });

/** POST /api/models/estimate-batch-cost: the first model that is unknown fails the batch. */
const estimateBatchCost = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/models/estimate-batch-cost',
    limit: 'read',
    scope: 'models',
    body: batchBody,
    handle: ({ body }) => {
      const estimates = body.requests.map((request) => estimate(catalogue(), request));
      const total = estimates.reduce((sum, { pico }) => sum + pico, 0n);
      return Promise.resolve(
        json(200, { estimates: estimates.map(({ view }) => view), totalEstimatedCost: usdTextOfPico(total) }),
      );
    },
  });

/** POST /api/models/estimate-tokens: the model need not exist. */
const estimateTextTokens = ({ counter }: Deps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/models/estimate-tokens',
    limit: 'read',
    scope: 'models',
    body: tokensBody,
    maxBodyBytes: MOST_TEXT_BYTES,
    handle: async ({ body: { model, text } }) =>
      json(200, { model, textLength: Buffer.byteLength(text), estimatedTokens: await counter.count(text) }),
  });

/** The estimates under /api/models. */
export const estimateEndpoints = (deps: Deps): readonly Endpoint[] => [
  estimateCost(deps),
  estimateBatchCost(deps),
  estimateTextTokens(deps),
];

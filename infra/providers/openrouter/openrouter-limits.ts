import type { UpstreamRequest } from '../../../src/kernel/upstream.ts';
import { hasFiles, hasMedia, partsOf, refuseFirst, summaryLimit } from '../shared/refusals.ts';

const EFFORTS: readonly string[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh'];

/** Refuses what OpenRouter cannot do, whoever runs the model. Throws DomainError. */
export const checkOpenRouter = (request: UpstreamRequest): void => {
  const { effort, budgetTokens } = request.reasoning ?? {};
  const parts = partsOf(request);
  refuseFirst([
    [
      effort !== undefined && budgetTokens !== undefined,
      'reasoning',
      'openrouter takes an effort or a number of tokens for reasoning, not both; leave one out',
    ],
    [
      effort !== undefined && !EFFORTS.includes(effort),
      'reasoning_effort',
      `openrouter has no reasoning effort '${effort ?? ''}'; use ${EFFORTS.join(', ')}`,
    ],
    summaryLimit('openrouter', request),
    [hasFiles(parts), 'messages', 'openrouter holds no files; send the data itself'],
    [
      hasMedia(partsOf(request, 'system', 'developer', 'assistant', 'tool')),
      'messages',
      'openrouter takes images from the user only',
    ],
  ]);
};

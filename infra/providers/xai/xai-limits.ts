import type { UpstreamRequest } from '../../../src/kernel/upstream.ts';
import { hasFiles, hasMedia, isSet, partsOf, refuseFirst, summaryLimit } from '../shared/refusals.ts';
import { effortsOf, reasons } from './model-traits.ts';

const effortDetail = (model: string, effort: string): string => {
  const known = effortsOf(model);
  return known.length === 0
    ? `${model} takes no reasoning effort; leave it out`
    : `${model} has no reasoning effort '${effort}'; use ${known.join(', ')}`;
};

/** Refuses what xAI cannot do. Throws DomainError. */
export const checkXai = (request: UpstreamRequest): void => {
  const { model, sampling, reasoning, webMode } = request;
  const { frequencyPenalty, presencePenalty, stop, seed, topK } = sampling;
  const effort = reasoning?.effort;
  const parts = partsOf(request);
  refuseFirst([
    [topK !== undefined, 'top_k', 'xai has no top_k; leave it out'],
    [
      isSet(frequencyPenalty) && reasons(model),
      'frequency_penalty',
      `${model} takes no frequency_penalty; leave it out`,
    ],
    [isSet(presencePenalty) && reasons(model), 'presence_penalty', `${model} takes no presence_penalty; leave it out`],
    [(stop?.length ?? 0) > 0 && reasons(model), 'stop', `${model} takes no stop words; leave \`stop\` out`],
    [seed !== undefined && webMode, 'seed', 'xai has no seed while it searches the web; leave it out'],
    [
      reasoning?.budgetTokens !== undefined,
      'reasoning.max_tokens',
      'xai takes no number of tokens for reasoning; send an effort',
    ],
    summaryLimit('xai', request),
    [effort !== undefined && !effortsOf(model).includes(effort), 'reasoning_effort', effortDetail(model, effort ?? '')],
    [hasFiles(parts), 'messages', 'xai is sent the data itself; send images as data URLs'],
    [parts.some(({ type }) => type === 'document'), 'messages', 'xai takes no documents; send the text instead'],
    [
      hasMedia(partsOf(request, 'system', 'developer', 'assistant', 'tool')),
      'messages',
      'xai takes images from the user only',
    ],
  ]);
};

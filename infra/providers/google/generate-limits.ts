import type { UpstreamRequest } from '../../../src/kernel/upstream.ts';
import { hasDetail, hasMedia, partsOf, refuseFirst, summaryLimit } from '../shared/refusals.ts';
import { contentsOf, isElsewhere } from './generate-content.ts';
import { mixesToolsAndJson } from './model-traits.ts';
import { thinkingConfig } from './thinking.ts';

const MOST_STOPS = 5;

/** Refuses what generateContent cannot do. Throws DomainError. */
export const checkGenerate = (request: UpstreamRequest): void => {
  const { model, messages, sampling, tools, parallelToolCalls, responseFormat, user } = request;
  const first = messages.find(({ role }) => role !== 'system' && role !== 'developer');
  const wantsJson = responseFormat !== undefined && responseFormat.type !== 'text';
  refuseFirst([
    [first !== undefined && first.role !== 'user', 'messages', "google begins with the user's words; put them first"],
    [
      hasMedia(partsOf(request, 'system', 'developer', 'assistant', 'tool')),
      'messages',
      'google takes images and documents from the user only',
    ],
    [
      partsOf(request).some(isElsewhere),
      'messages',
      'google is sent the data itself, or the name of a file that it holds; nothing is fetched from other servers',
    ],
    [hasDetail(partsOf(request)), 'messages', "google has no image detail; leave it out or send 'auto'"],
    [(sampling.stop?.length ?? 0) > MOST_STOPS, 'stop', `google takes at most ${MOST_STOPS} stop words; send fewer`],
    [
      tools.length > 0 && parallelToolCalls === false,
      'parallel_tool_calls',
      'google cannot be kept from calling tools in parallel; leave parallel_tool_calls out',
    ],
    [
      tools.length > 0 && wantsJson && !mixesToolsAndJson(model),
      'response_format',
      `${model} answers in JSON or calls tools, not both; leave one out`,
    ],
    summaryLimit('google', request),
    [user !== undefined, 'user', 'google is told no name of the end user; leave `user` out'],
  ]);
  thinkingConfig(request);
  // Reads every call and its result.
  if (messages.some(({ role }) => role === 'tool' || role === 'assistant')) contentsOf(request);
};

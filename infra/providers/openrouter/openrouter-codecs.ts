import type { UpstreamRequest } from '../../../src/kernel/upstream.ts';
import { chatRequest } from '../openai/chat-request.ts';
import { readsEither } from '../openai/either-answer.ts';
import { chatUsage } from '../openai/openai-usage.ts';
import { responsesRequest } from '../openai/responses-request.ts';
import type { Codec } from '../shared/codec.ts';
import { objectOf } from '../shared/json-members.ts';
import { isSet } from '../shared/refusals.ts';
import { checkOpenRouter } from './openrouter-limits.ts';

const answers = readsEither(chatUsage);

/**
 * True when a request asks for what not every model can do. OpenRouter passes over parameters that a model does not
 * know, unless it is told that they matter.
 */
const parametersMatter = ({ tools, responseFormat, reasoning, sampling }: UpstreamRequest): boolean => {
  const { seed, topK, stop, frequencyPenalty, presencePenalty } = sampling;
  const wantsJson = responseFormat !== undefined && responseFormat.type !== 'text';
  const chosen = [reasoning, seed, topK].some((value) => value !== undefined);
  const counts = [tools.length, stop?.length, frequencyPenalty, presencePenalty];
  return wantsJson || chosen || counts.some(isSet);
};

/** Nobody who keeps prompts may run them. */
const routing = (request: UpstreamRequest): object => ({
  data_collection: 'deny',
  require_parameters: parametersMatter(request) ? true : undefined,
});

const reasoningOf = ({ reasoning }: UpstreamRequest): object | undefined => {
  if (reasoning === undefined) return undefined;
  const { effort, budgetTokens } = reasoning;
  if (effort === undefined && budgetTokens === undefined) return { enabled: true };
  return { effort, max_tokens: budgetTokens };
};

const chat = (request: UpstreamRequest, stream: boolean): object => ({
  ...chatRequest(request, stream, { onlySystem: true, marksCache: true, takesThoughts: true }),
  stream_options: undefined,
  usage: { include: true },
  top_k: request.sampling.topK,
  reasoning_effort: undefined,
  reasoning: reasoningOf(request),
  provider: routing(request),
});

const responses = (request: UpstreamRequest, stream: boolean): object => ({
  // Nothing is searched for here: the model may run anywhere.
  ...objectOf(responsesRequest({ ...request, webMode: false }, stream)),
  temperature: request.sampling.temperature,
  top_p: request.sampling.topP,
  top_k: request.sampling.topK,
  reasoning: reasoningOf(request),
  provider: routing(request),
});

/** Chat Completions as OpenRouter speaks them: what a call has cost stands in its usage. */
export const openRouterChatCodec: Codec = {
  path: '/chat/completions',
  check: checkOpenRouter,
  encode: chat,
  ...answers,
};

/** The Responses API, for servers that know nothing else. */
export const openRouterResponsesCodec: Codec = {
  path: '/responses',
  check: checkOpenRouter,
  encode: responses,
  ...answers,
};

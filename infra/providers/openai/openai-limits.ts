import type { UpstreamRequest } from '../../../src/kernel/upstream.ts';
import { hasMedia, isSet, partsOf, refuseFirst, summaryLimit, type Limit } from '../shared/refusals.ts';
import { effortsOf, reasons } from './model-traits.ts';

/** True for a request that is sampled: the model does not reason, or is told not to. */
export const samples = ({ model, reasoning }: UpstreamRequest): boolean =>
  !reasons(model) || reasoning?.effort === 'none';

/** The member by which a request asks for what the Responses API cannot do; undefined when none does. */
const askForChat = ({ sampling }: UpstreamRequest): string | undefined => {
  if (sampling.seed !== undefined) return 'seed';
  if ((sampling.stop?.length ?? 0) > 0) return 'stop';
  if (isSet(sampling.frequencyPenalty)) return 'frequency_penalty';
  return isSet(sampling.presencePenalty) ? 'presence_penalty' : undefined;
};

/** True when a request is for Chat Completions, which can do it. */
export const suitsChat = (request: UpstreamRequest): boolean =>
  askForChat(request) !== undefined && !reasons(request.model) && !request.webMode;

const reasoningLimits = ({ model, reasoning }: UpstreamRequest): readonly Limit[] => {
  if (reasoning === undefined) return [];
  const { effort, budgetTokens } = reasoning;
  const known = effortsOf(model);
  return [
    [
      budgetTokens !== undefined,
      'reasoning.max_tokens',
      'openai takes no number of tokens for reasoning; send an effort',
    ],
    [!reasons(model) && effort !== 'none', 'reasoning_effort', `${model} does not reason; leave reasoning out`],
    [
      reasons(model) && effort !== undefined && !known.includes(effort),
      'reasoning_effort',
      `${model} has no reasoning effort '${effort ?? ''}'; use ${known.join(', ')}`,
    ],
  ];
};

const samplingLimits = (request: UpstreamRequest): readonly Limit[] => {
  const { model, sampling, webMode } = request;
  const { topP = 1, topK } = sampling;
  const asked = askForChat(request);
  return [
    [topK !== undefined, 'top_k', 'openai has no top_k; leave it out'],
    [topP !== 1 && !samples(request), 'top_p', `${model} takes no top_p while it reasons; leave it out`],
    [
      reasons(model) && asked !== undefined,
      asked ?? '',
      `${model} takes no stop, seed, frequency_penalty or presence_penalty; leave them out`,
    ],
    [
      webMode && asked !== undefined,
      asked ?? '',
      'openai takes no stop, seed, frequency_penalty or presence_penalty while it searches the web; leave them out',
    ],
  ];
};

/** Refuses what OpenAI's models cannot do, and the Responses API for them. Throws DomainError. */
export const checkOpenAi = (request: UpstreamRequest): void =>
  refuseFirst([
    ...samplingLimits(request),
    ...reasoningLimits(request),
    [
      hasMedia(partsOf(request, 'system', 'developer', 'assistant')),
      'messages',
      'openai takes images and documents from the user and from tools only',
    ],
  ]);

/** Refuses what Chat Completions cannot say, whoever speaks it. Throws DomainError. */
export const checkChat = (request: UpstreamRequest): void =>
  refuseFirst([
    [request.sampling.topK !== undefined, 'top_k', 'there is no top_k in Chat Completions; leave it out'],
    [
      request.reasoning?.budgetTokens !== undefined,
      'reasoning.max_tokens',
      'there is no number of tokens for reasoning; send an effort',
    ],
    summaryLimit('Chat Completions', request),
    [
      partsOf(request).some((part) => part.type === 'image' && part.source.kind === 'file'),
      'messages',
      'Chat Completions take the data of images only; send it, or leave out stop, seed and penalties',
    ],
    [
      hasMedia(partsOf(request, 'system', 'developer', 'assistant', 'tool')),
      'messages',
      'Chat Completions take images and documents from the user only',
    ],
  ]);

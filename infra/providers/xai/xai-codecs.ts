import type { UpstreamRequest } from '../../../src/kernel/upstream.ts';
import { chatRequest } from '../openai/chat-request.ts';
import { readsEither } from '../openai/either-answer.ts';
import { chatUsageBesideReasoning } from '../openai/openai-usage.ts';
import { responsesRequest } from '../openai/responses-request.ts';
import type { Codec } from '../shared/codec.ts';
import { listOf, objectOf, textOf } from '../shared/json-members.ts';
import { isSet } from '../shared/refusals.ts';
import { checkXai } from './xai-limits.ts';

const answers = readsEither(chatUsageBesideReasoning);

/** A penalty of nothing is left out: reasoning models refuse the very name. */
const penalty = (value: number | undefined): number | undefined => (isSet(value) ? value : undefined);

const chat = (request: UpstreamRequest, stream: boolean): object => ({
  ...chatRequest(request, stream, { onlySystem: true }),
  max_tokens: undefined,
  max_completion_tokens: request.maxTokens,
  frequency_penalty: penalty(request.sampling.frequencyPenalty),
  presence_penalty: penalty(request.sampling.presencePenalty),
});

const isFunction = (tool: unknown): boolean => objectOf(tool)['type'] === 'function';

/** The system's words are a message here, and the search tool has a name of its own. */
const responses = (request: UpstreamRequest, stream: boolean): object => {
  const { instructions, input, tools, ...rest } = objectOf(responsesRequest(request, stream));
  const system = textOf(instructions);
  const { sampling, reasoning, webMode } = request;
  return {
    ...rest,
    input: [...(system === '' ? [] : [{ role: 'system', content: system }]), ...listOf(input)],
    temperature: sampling.temperature,
    top_p: sampling.topP,
    reasoning: reasoning?.effort === undefined ? undefined : { effort: reasoning.effort },
    tools:
      tools === undefined
        ? undefined
        : [...(webMode ? [{ type: 'web_search' }] : []), ...listOf(tools).filter(isFunction)],
  };
};

/** Chat Completions as xAI speaks them: reasoning is counted beside the answer. */
export const xaiChatCodec: Codec = { path: '/chat/completions', check: checkXai, encode: chat, ...answers };

/** The Responses API, which alone lets the model search. */
export const xaiResponsesCodec: Codec = { path: '/responses', check: checkXai, encode: responses, ...answers };

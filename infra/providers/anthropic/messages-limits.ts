import type { UpstreamRequest } from '../../../src/kernel/upstream.ts';
import {
  argumentsOf,
  hasDetail,
  hasMedia,
  isSet,
  partsOf,
  refuseFirst,
  summaryLimit,
  type Limit,
} from '../shared/refusals.ts';
import { lacksThoughts } from './signed-thoughts.ts';
import { keepsToSchemas, takesOneSampler, thinks } from './model-traits.ts';
import { thinkingBudget } from './thinking.ts';

const MOST_CACHE_POINTS = 4;

const samplingLimits = ({ model, sampling }: UpstreamRequest): readonly Limit[] => {
  const { temperature, topP, frequencyPenalty, presencePenalty, seed, stop } = sampling;
  return [
    [(temperature ?? 0) > 1, 'temperature', 'anthropic takes a temperature from 0 to 1'],
    [
      temperature !== undefined && topP !== undefined && takesOneSampler(model),
      'top_p',
      `${model} takes temperature or top_p, not both; leave one out`,
    ],
    [isSet(frequencyPenalty), 'frequency_penalty', 'anthropic has no frequency_penalty; leave it out'],
    [isSet(presencePenalty), 'presence_penalty', 'anthropic has no presence_penalty; leave it out'],
    [seed !== undefined, 'seed', 'anthropic has no seed; leave it out'],
    [
      stop?.some((word) => word.trim() === '') === true,
      'stop',
      'anthropic does not stop at white space; leave it out of `stop`',
    ],
  ];
};

const contentLimits = (request: UpstreamRequest): readonly Limit[] => {
  const points = partsOf(request).filter(({ cachePoint }) => cachePoint === true).length;
  return [
    [
      hasMedia(partsOf(request, 'system', 'developer', 'assistant')),
      'messages',
      'anthropic takes images and documents from the user and from tools only',
    ],
    [hasDetail(partsOf(request)), 'messages', "anthropic has no image detail; leave it out or send 'auto'"],
    [
      points > MOST_CACHE_POINTS,
      'messages',
      `anthropic takes at most ${MOST_CACHE_POINTS} cache_control marks; send fewer`,
    ],
  ];
};

const outputLimits = ({ model, responseFormat, tools, messages }: UpstreamRequest): readonly Limit[] => [
  [
    responseFormat?.type === 'json_object',
    'response_format',
    'anthropic has no json_object format; send a json_schema or ask for JSON in words',
  ],
  [
    responseFormat?.type === 'json_schema' && !keepsToSchemas(model),
    'response_format',
    `${model} does not keep to a json_schema; choose a newer model or ask for JSON in words`,
  ],
  [
    tools.some(({ strict }) => strict === true) && !keepsToSchemas(model),
    'tools',
    `${model} has no strict tools; choose a newer model or leave strict out`,
  ],
  [
    tools.length === 0 && messages.some((message) => message.role === 'tool'),
    'tools',
    'anthropic needs the tools beside their results; send `tools` again',
  ],
];

const thinkingLimits = (request: UpstreamRequest): readonly Limit[] => {
  const { model, sampling, toolChoice, messages } = request;
  const last = messages.at(-1)?.role;
  return [
    [!thinks(model), 'reasoning_effort', `${model} does not reason; leave reasoning out`],
    summaryLimit('anthropic', request),
    [(sampling.temperature ?? 1) !== 1, 'temperature', 'anthropic reasons with a temperature of 1 only; leave it out'],
    [sampling.topK !== undefined, 'top_k', 'anthropic has no top_k while it reasons; leave it out'],
    [(sampling.topP ?? 1) < 0.95, 'top_p', 'anthropic reasons with a top_p of 0.95 or more; leave it out'],
    [
      toolChoice === 'required' || typeof toolChoice === 'object',
      'tool_choice',
      "anthropic cannot be made to call a tool while it reasons; send tool_choice 'auto'",
    ],
    [
      lacksThoughts(messages),
      'messages',
      'anthropic goes on reasoning after a tool only with the signed thoughts that came before; send the reasoning_details of that message, or leave reasoning out',
    ],
    [
      last === 'assistant',
      'messages',
      'anthropic cannot reason before words that are given; leave the last message out',
    ],
  ];
};

/** Refuses what the Messages API cannot do. Throws DomainError. */
export const checkMessages = (request: UpstreamRequest): void => {
  refuseFirst([...samplingLimits(request), ...contentLimits(request), ...outputLimits(request)]);
  for (const message of request.messages) {
    if (message.role === 'assistant') message.toolCalls.forEach((call) => argumentsOf(call.name, call.arguments));
  }
  if (request.reasoning === undefined || request.reasoning.effort === 'none') return;
  refuseFirst(thinkingLimits(request));
  thinkingBudget(request);
};

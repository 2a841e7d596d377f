import type { Tool, ToolChoice, UpstreamRequest } from '../../../src/kernel/upstream.ts';
import { describedSchema } from '../shared/described-schema.ts';
import { systemOf, turnsOf } from './messages-content.ts';
import { maxTokensOf, thinkingBudget } from './thinking.ts';

const toolOf = ({ name, description, parameters, strict }: Tool): object => ({
  name,
  description,
  input_schema: { type: 'object', ...parameters },
  strict: strict === true ? true : undefined,
});

const choiceOf = (choice: ToolChoice | undefined): Readonly<{ type: string; name?: string }> | undefined => {
  if (typeof choice === 'object') return { type: 'tool', name: choice.name };
  return choice === undefined ? undefined : { type: choice === 'required' ? 'any' : choice };
};

const toolsOf = ({ tools, toolChoice, parallelToolCalls }: UpstreamRequest): object => {
  if (tools.length === 0) return {};
  const choice = choiceOf(toolChoice);
  const oneByOne = parallelToolCalls === false && choice?.type !== 'none';
  return {
    tools: tools.map(toolOf),
    tool_choice: oneByOne ? { type: 'auto', ...choice, disable_parallel_tool_use: true } : choice,
  };
};

const thinkingOf = (request: UpstreamRequest): object | undefined => {
  const budget = thinkingBudget(request);
  return budget === undefined ? undefined : { type: 'enabled', budget_tokens: budget };
};

const formatOf = ({ responseFormat }: UpstreamRequest): object | undefined =>
  responseFormat?.type === 'json_schema'
    ? { format: { type: 'json_schema', schema: describedSchema(responseFormat) } }
    : undefined;

/** A request in the words of the Messages API. It must have passed the check. Members that are undefined are left out. */
export const messagesRequest = (request: UpstreamRequest, stream: boolean): unknown => {
  const { model, messages, sampling, user } = request;
  const thinking = thinkingOf(request);
  return {
    model,
    system: systemOf(messages),
    messages: turnsOf(messages, thinking !== undefined),
    stream,
    max_tokens: maxTokensOf(request),
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    stop_sequences: sampling.stop,
    metadata: user === undefined ? undefined : { user_id: user },
    thinking,
    output_config: formatOf(request),
    ...toolsOf(request),
  };
};

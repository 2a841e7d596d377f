import type { ChatMessage, Part, ResponseFormat, Tool, UpstreamRequest } from '../../../src/kernel/upstream.ts';
import { hasMedia, isSet, textsOf } from '../shared/refusals.ts';
import { dataUrlOf } from './data-url.ts';
import { splitInstructions } from './long-instructions.ts';
import { mostEffort, reasons, researches } from './model-traits.ts';
import { samples } from './openai-limits.ts';

const contentPart = (part: Part, textType: string): unknown => {
  switch (part.type) {
    case 'text':
      return { type: textType, text: part.text };
    case 'image': {
      const where =
        part.source.kind === 'file' ? { file_id: part.source.fileId } : { image_url: dataUrlOf(part.source) };
      return { type: 'input_image', ...where, detail: part.detail ?? 'auto' };
    }
    case 'document':
      return part.source.kind === 'file'
        ? { type: 'input_file', file_id: part.source.fileId }
        : { type: 'input_file', filename: part.fileName ?? 'document.pdf', file_data: dataUrlOf(part.source) };
  }
};

/** Plain text stays plain; pictures and documents of a tool make a list of it. */
const outputOf = (parts: readonly Part[]): unknown =>
  hasMedia(parts) ? parts.map((part) => contentPart(part, 'input_text')) : textsOf(parts);

const itemsOf = (message: ChatMessage): readonly unknown[] => {
  switch (message.role) {
    case 'tool':
      return [{ type: 'function_call_output', call_id: message.toolCallId, output: outputOf(message.parts) }];
    case 'assistant': {
      const content = message.parts.map((part) => contentPart(part, 'output_text'));
      const said = content.length === 0 ? [] : [{ type: 'message', role: 'assistant', content }];
      const calls = message.toolCalls.map(({ id, name, arguments: args }) => ({
        type: 'function_call',
        call_id: id,
        name,
        arguments: args,
      }));
      return [...said, ...calls];
    }
    case 'user': {
      const content = message.parts.map((part) => contentPart(part, 'input_text'));
      return [{ type: 'message', role: 'user', content }];
    }
    default:
      return [];
  }
};

const instructionsOf = (messages: readonly ChatMessage[]): string =>
  messages
    .filter(({ role }) => role === 'system' || role === 'developer')
    .map(({ parts }) => textsOf(parts))
    .join(' ');

const toolOf = ({ name, description, parameters, strict }: Tool): unknown => ({
  type: 'function',
  name,
  description,
  parameters: parameters ?? { type: 'object', properties: {} },
  strict: strict ?? false,
});

const WEB_SEARCH = { type: 'web_search_preview', search_context_size: 'low', user_location: { type: 'approximate' } };

const toolsOf = ({ tools, toolChoice, parallelToolCalls, webMode, model }: UpstreamRequest): object => {
  const searches = webMode || researches(model);
  if (tools.length === 0 && !searches) return {};
  return {
    tools: [...(searches ? [WEB_SEARCH] : []), ...tools.map(toolOf)],
    tool_choice: typeof toolChoice === 'object' ? { type: 'function', name: toolChoice.name } : toolChoice,
    parallel_tool_calls: parallelToolCalls,
  };
};

const reasoningOf = ({ reasoning, webMode, model }: UpstreamRequest): unknown => {
  if (!reasons(model)) return undefined;
  if (reasoning !== undefined) return { effort: reasoning.effort, summary: reasoning.summary };
  return webMode ? { effort: mostEffort(model), summary: 'auto' } : undefined;
};

const formatOf = (format: ResponseFormat | undefined): unknown => (format === undefined ? undefined : { format });

/** A penalty of nothing is left out: where there are none, the very name is refused. */
const penalty = (value: number | undefined): number | undefined => (isSet(value) ? value : undefined);

/**
 * A request in the words of the Responses API. Nothing is stored there; a model that reasons is sent no temperature,
 * which it would refuse; web mode has no output limit, as thinking and searching would use it up.
 */
export const responsesRequest = (request: UpstreamRequest, stream: boolean): unknown => {
  const { sampling, messages } = request;
  const { instructions, rest } = splitInstructions(instructionsOf(messages));
  const first =
    rest === undefined ? [] : [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: rest }] }];
  return {
    model: request.model,
    instructions: instructions === '' ? undefined : instructions,
    input: [...first, ...messages.flatMap(itemsOf)],
    stream,
    store: false,
    max_output_tokens: request.webMode ? undefined : request.maxTokens,
    ...(samples(request) ? { temperature: sampling.temperature, top_p: sampling.topP } : {}),
    // Servers that know nothing but this API may know these; OpenAI is asked by Chat Completions.
    frequency_penalty: penalty(sampling.frequencyPenalty),
    presence_penalty: penalty(sampling.presencePenalty),
    seed: sampling.seed,
    stop: sampling.stop,
    user: request.user,
    reasoning: reasoningOf(request),
    text: formatOf(request.responseFormat),
    ...toolsOf(request),
  };
};

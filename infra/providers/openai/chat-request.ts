import type {
  ChatMessage,
  Part,
  ResponseFormat,
  Thought,
  Tool,
  UpstreamRequest,
} from '../../../src/kernel/upstream.ts';
import { detailOf } from '../../../src/kernel/thought-details.ts';
import { dataUrlOf } from './data-url.ts';

/** What compatible servers do differently when they are asked. */
export type ChatDialect = Readonly<{
  /** It has to be told where the part of the prompt ends that it is to keep. */
  marksCache?: boolean;
  /** It wants the model's sealed thoughts back. */
  takesThoughts?: boolean;
  /** It knows no messages of developers: they are the system's. */
  onlySystem?: boolean;
}>;

const plainPart = (part: Part): object => {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return { type: 'image_url', image_url: { url: dataUrlOf(part.source), detail: part.detail } };
    case 'document':
      return part.source.kind === 'file'
        ? { type: 'file', file: { file_id: part.source.fileId } }
        : { type: 'file', file: { filename: part.fileName ?? 'document.pdf', file_data: dataUrlOf(part.source) } };
  }
};

/** Plain text stays plain: not every server of this API reads lists of parts. */
const contentOf = (parts: readonly Part[], { marksCache = false }: ChatDialect): unknown => {
  const marked = ({ cachePoint }: Part): boolean => marksCache && cachePoint === true;
  const [only] = parts;
  if (parts.length === 1 && only?.type === 'text' && !marked(only)) return only.text;
  return parts.map((part) =>
    marked(part) ? { ...plainPart(part), cache_control: { type: 'ephemeral' } } : plainPart(part),
  );
};

type Assistant = Extract<ChatMessage, { role: 'assistant' }>;

/** Undefined when there are none. */
const detailsOf = (thoughts: readonly Thought[]): readonly object[] | undefined =>
  thoughts.length === 0 ? undefined : thoughts.map(detailOf);

/** A call's own seal is a thought like any other here, named by the call. */
const thoughtsOf = ({ thoughts = [], toolCalls }: Assistant): readonly Thought[] => [
  ...thoughts,
  ...toolCalls.flatMap(({ id, signature }) =>
    signature === undefined ? [] : [{ kind: 'encrypted' as const, content: signature, id, format: 'google-gemini-v1' }],
  ),
];

const assistantOf = (message: Assistant, content: unknown, dialect: ChatDialect): object => ({
  role: 'assistant',
  content: message.parts.length === 0 && message.toolCalls.length > 0 ? null : content,
  reasoning_details: dialect.takesThoughts === true ? detailsOf(thoughtsOf(message)) : undefined,
  tool_calls:
    message.toolCalls.length === 0
      ? undefined
      : message.toolCalls.map(({ id, name, arguments: args }) => ({
          id,
          type: 'function',
          function: { name, arguments: args },
        })),
});

const messageOf = (message: ChatMessage, dialect: ChatDialect): unknown => {
  const content = contentOf(message.parts, dialect);
  switch (message.role) {
    case 'tool':
      return { role: 'tool', tool_call_id: message.toolCallId, content };
    case 'assistant':
      return assistantOf(message, content, dialect);
    default:
      return { role: dialect.onlySystem === true && message.role === 'developer' ? 'system' : message.role, content };
  }
};

const toolOf = (tool: Tool): unknown => ({ type: 'function', function: tool });

const formatOf = (format: ResponseFormat): unknown => {
  if (format.type !== 'json_schema') return { type: format.type };
  const { type, ...json_schema } = format;
  return { type, json_schema };
};

const toolsOf = ({ tools, toolChoice, parallelToolCalls }: UpstreamRequest): object =>
  tools.length === 0
    ? {}
    : {
        tools: tools.map(toolOf),
        tool_choice:
          typeof toolChoice === 'object' ? { type: 'function', function: { name: toolChoice.name } } : toolChoice,
        parallel_tool_calls: parallelToolCalls,
      };

/** A request in the words of Chat Completions. Usage is always asked for. Members that are undefined are left out. */
export const chatRequest = (request: UpstreamRequest, stream: boolean, dialect: ChatDialect = {}): object => {
  const { sampling, responseFormat } = request;
  return {
    model: request.model,
    messages: request.messages.map((message) => messageOf(message, dialect)),
    stream,
    ...(stream ? { stream_options: { include_usage: true } } : {}),
    max_tokens: request.maxTokens,
    temperature: sampling.temperature,
    top_p: sampling.topP,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    seed: sampling.seed,
    stop: sampling.stop,
    user: request.user,
    reasoning_effort: request.reasoning?.effort,
    response_format: responseFormat === undefined ? undefined : formatOf(responseFormat),
    ...toolsOf(request),
  };
};

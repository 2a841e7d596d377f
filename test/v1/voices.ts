type Call = Readonly<{ id: string; name: string; arguments: string }>;

/** What a double of a provider is to say: texts piece by piece, then calls. */
export type Saying = Readonly<{ texts?: readonly string[]; calls?: readonly Call[] }>;

/** What each whole answer used. */
export const USED = { prompt: 9, completion: 5 } as const;

/** How one provider is asked and how it streams. */
export type Voice = Readonly<{
  model: string;
  /** What an operator sets, but for the address. */
  env: Readonly<Record<string, string>>;
  address: string;
  /** The frames of an answer, one a piece; the last ones tell its end. */
  frames: (saying: Saying) => readonly string[];
  /** A refusal in its words. */
  refusal: (message: string) => object;
  /** The member of its request that holds the tools' results, as text. */
  toldResult: (body: Readonly<Record<string, unknown>>) => unknown;
  /** What it cannot do, and the member that is to blame. */
  cannot: Readonly<{ over: object; param: string }>;
  /** What its request says of JSON without a schema; undefined when it has no such thing. */
  askedJson: ((body: Readonly<Record<string, unknown>>) => unknown) | undefined;
  /** What its request says of JSON of this schema. */
  askedFormat: (body: Readonly<Record<string, unknown>>) => unknown;
}>;

type Json = Readonly<Record<string, unknown>>;

const data = (json: object): string => `data: ${JSON.stringify(json)}\n\n`;
const named = (json: Json & Readonly<{ type: string }>): string => `event: ${json.type}\n${data(json)}`;
const last = (list: unknown): Json => (list as readonly Json[]).at(-1) ?? {};

/** A text in two pieces, so that readers have to put it together. */
const halves = (text: string): readonly [string, string] => [text.slice(0, 4), text.slice(4)];

const responses = ({ texts = [], calls = [] }: Saying): readonly string[] => {
  const response = { id: 'resp_1', object: 'response', model: 'gpt-5-mini', error: null, output: [] };
  const usage = { input_tokens: USED.prompt, output_tokens: USED.completion, total_tokens: 14 };
  return [
    named({ type: 'response.created', response: { ...response, status: 'in_progress', usage: null } }),
    ...texts.map((delta) =>
      named({ type: 'response.output_text.delta', item_id: 'msg_1', output_index: 0, content_index: 0, delta }),
    ),
    ...calls.flatMap(({ id, name, arguments: args }, index) => {
      const item = { id: `fc_${index}`, type: 'function_call', call_id: id, name };
      return [
        named({ type: 'response.output_item.added', output_index: index + 1, item: { ...item, arguments: '' } }),
        ...halves(args).map((delta) =>
          named({
            type: 'response.function_call_arguments.delta',
            item_id: item.id,
            output_index: index + 1,
            delta,
          }),
        ),
        named({
          type: 'response.output_item.done',
          output_index: index + 1,
          item: { ...item, arguments: args },
        }),
      ];
    }),
    named({ type: 'response.completed', response: { ...response, status: 'completed', usage } }),
  ];
};

const messages = ({ texts = [], calls = [] }: Saying): readonly string[] => {
  const block = (index: number, content_block: object, deltas: readonly object[]): readonly string[] => [
    named({ type: 'content_block_start', index, content_block }),
    ...deltas.map((delta) => named({ type: 'content_block_delta', index, delta })),
    named({ type: 'content_block_stop', index }),
  ];
  const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', content: [] };
  return [
    named({
      type: 'message_start',
      message: { ...message, usage: { input_tokens: USED.prompt, output_tokens: 1 } },
    }),
    ...(texts.length === 0
      ? []
      : block(
          0,
          { type: 'text', text: '' },
          texts.map((text) => ({ type: 'text_delta', text })),
        )),
    ...calls.flatMap(({ id, name, arguments: args }, index) =>
      block(
        index + 1,
        { type: 'tool_use', id, name, input: {} },
        halves(args).map((partial_json) => ({ type: 'input_json_delta', partial_json })),
      ),
    ),
    named({
      type: 'message_delta',
      delta: { stop_reason: calls.length === 0 ? 'end_turn' : 'tool_use', stop_sequence: null },
      usage: { output_tokens: USED.completion },
    }),
    named({ type: 'message_stop' }),
  ];
};

const contents = ({ texts = [], calls = [] }: Saying): readonly string[] => {
  const piece = (parts: readonly object[], more: object, counted: number): string =>
    data({
      candidates: [{ content: { parts, role: 'model' }, index: 0, ...more }],
      usageMetadata: { promptTokenCount: USED.prompt, candidatesTokenCount: counted },
      modelVersion: 'gemini-2.5-pro',
      responseId: 'resp1',
    });
  return [
    ...texts.map((text, index) => piece([{ text }], {}, index + 1)),
    ...calls.map(({ name, arguments: args }) =>
      piece([{ functionCall: { name, args: JSON.parse(args) as Json } }], {}, 4),
    ),
    piece([{ text: '' }], { finishReason: 'STOP' }, USED.completion),
  ];
};

const chunks = ({ texts = [], calls = [] }: Saying): readonly string[] => {
  const chunk = (delta: object, finish_reason: string | null, more: object = {}): string =>
    data({
      ...{ id: 'gen-1', object: 'chat.completion.chunk', created: 1, model: 'm' },
      choices: [{ index: 0, delta, finish_reason }],
      ...more,
    });
  const usage = { prompt_tokens: USED.prompt, completion_tokens: USED.completion, total_tokens: 14 };
  return [
    ...texts.map((content) => chunk({ role: 'assistant', content }, null)),
    ...calls.flatMap(({ id, name, arguments: args }, index) => {
      const [first, second] = halves(args);
      return [
        chunk({ tool_calls: [{ index, id, type: 'function', function: { name, arguments: first } }] }, null),
        chunk({ tool_calls: [{ index, function: { arguments: second } }] }, null),
      ];
    }),
    chunk({}, calls.length === 0 ? 'stop' : 'tool_calls'),
    data({ id: 'gen-1', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage }),
    'data: [DONE]\n\n',
  ];
};

const plainError = (message: string): object => ({ error: { message, type: 'server_error', code: null } });

const chatVoice = {
  frames: chunks,
  refusal: plainError,
  toldResult: (body: Json): unknown => last(body['messages'])['content'],
  askedJson: (body: Json): unknown => (body['response_format'] as Json | undefined)?.['type'] === 'json_object',
};

const schemaIn = (format: unknown): unknown => (format as Json | undefined)?.['schema'];

/** The five providers. */
export const voices: Readonly<Record<string, Voice>> = {
  openai: {
    model: 'openai/gpt-5-mini',
    cannot: { over: { seed: 7 }, param: 'seed' },
    env: { OPENAI_API_KEY: 'key-p' },
    address: 'OPENAI_BASE_URL',
    frames: responses,
    refusal: plainError,
    toldResult: (body) => last(body['input'])['output'],
    askedJson: (body) =>
      ((body['text'] as Json | undefined)?.['format'] as Json | undefined)?.['type'] === 'json_object',
    askedFormat: (body) => schemaIn((body['text'] as Json | undefined)?.['format']),
  },
  anthropic: {
    model: 'anthropic/claude-opus-4-5-20251101',
    cannot: { over: { temperature: 1.5 }, param: 'temperature' },
    env: { ANTHROPIC_API_KEY: 'key-a' },
    address: 'ANTHROPIC_BASE_URL',
    frames: messages,
    refusal: (message) => ({ type: 'error', error: { type: 'api_error', message } }),
    toldResult: (body) => last(last(last(body['messages'])['content'])['content'])['text'],
    askedJson: undefined,
    askedFormat: (body) => schemaIn(body['output_format'] ?? (body['output_config'] as Json | undefined)?.['format']),
  },
  google: {
    model: 'google/gemini-2.5-pro',
    cannot: { over: { user: 'someone' }, param: 'user' },
    env: { GOOGLE_API_KEYS: 'key-g' },
    address: 'GOOGLE_BASE_URL',
    frames: contents,
    refusal: (message) => ({ error: { code: 500, message, status: 'INTERNAL' } }),
    toldResult: (body) => {
      const { functionResponse } = last(last(body['contents'])['parts']);
      const { response } = functionResponse as Json;
      return Object.values(response as Json)[0];
    },
    askedJson: (body) => (body['generationConfig'] as Json | undefined)?.['responseMimeType'] === 'application/json',
    askedFormat: (body) => {
      const config = body['generationConfig'] as Json | undefined;
      return config?.['responseJsonSchema'] ?? config?.['responseSchema'];
    },
  },
  xai: {
    ...chatVoice,
    model: 'xai/grok-4',
    cannot: { over: { stop: 'END' }, param: 'stop' },
    env: { XAI_API_KEY: 'key-x' },
    address: 'XAI_BASE_URL',
    askedFormat: (body) => schemaIn((body['response_format'] as Json | undefined)?.['json_schema']),
  },
  openrouter: {
    ...chatVoice,
    model: 'deepseek/deepseek-r1-0528',
    cannot: { over: { reasoning_effort: 'max' }, param: 'reasoning_effort' },
    env: { OPENROUTER_API_KEY: 'key-o' },
    address: 'OPENROUTER_BASE_URL',
    askedFormat: (body) => schemaIn((body['response_format'] as Json | undefined)?.['json_schema']),
  },
};

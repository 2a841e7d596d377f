/** What a provider's tokenizer has counted of one answer so far. Cached tokens are some of the prompt's. */
export type Counts = Readonly<{ prompt: number; cached: number; words: number }>;

/** How a provider writes a streamed answer, piece by piece. */
export type Wire = Readonly<{
  /** What comes before the first word. */
  begin: (id: string, counts: Counts) => string;
  word: (id: string, word: string, counts: Counts) => string;
  end: (id: string, counts: Counts) => string;
}>;

const data = (json: object): string => `data: ${JSON.stringify(json)}\n\n`;
const named = (json: Readonly<{ type: string }>): string => `event: ${json.type}\n${data(json)}`;

/** OpenAI's Responses API. */
const responses: Wire = {
  begin: (id) => named({ type: 'response.created', response: { id, model: 'm', status: 'in_progress' } } as never),
  word: (_id, delta) => named({ type: 'response.output_text.delta', output_index: 0, delta } as never),
  end: (id, { prompt, cached, words }) => {
    const usage = {
      input_tokens: prompt,
      input_tokens_details: { cached_tokens: cached },
      output_tokens: words,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: prompt + words,
    };
    return named({
      type: 'response.completed',
      response: { id, model: 'm', status: 'completed', output: [], usage },
    } as never);
  },
};

const chunk = (id: string, delta: object, finish: string | null = null): string =>
  data({ id, object: 'chat.completion.chunk', model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] });

/** Chat Completions, of xAI and OpenRouter. */
const chat: Wire = {
  begin: (id) => `: PROCESSING\n\n${chunk(id, { role: 'assistant', content: '' })}`,
  word: (id, content) => chunk(id, { content }),
  end: (id, { prompt, cached, words }) => {
    const usage = {
      prompt_tokens: prompt,
      prompt_tokens_details: { cached_tokens: cached },
      completion_tokens: words,
      total_tokens: prompt + words,
    };
    const last = data({ id, object: 'chat.completion.chunk', model: 'm', choices: [], usage });
    return `${chunk(id, {}, 'stop')}${last}data: [DONE]\n\n`;
  },
};

/** Anthropic's Messages: the prompt is counted at the beginning, with a placeholder for the answer. */
const messages: Wire = {
  begin: (id, { prompt, cached }) => {
    const usage = { input_tokens: prompt - cached, cache_read_input_tokens: cached, output_tokens: 1 };
    const message = { id, type: 'message', role: 'assistant', model: 'm', content: [], usage };
    const block = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } };
    return named({ type: 'message_start', message } as never) + named(block);
  },
  word: (_id, text) => named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } } as never),
  end: (_id, { words }) => {
    const delta = { stop_reason: 'end_turn', stop_sequence: null };
    return (
      named({ type: 'content_block_stop', index: 0 } as never) +
      named({ type: 'message_delta', delta, usage: { output_tokens: words } } as never) +
      named({ type: 'message_stop' })
    );
  },
};

const generated = (id: string, text: string, { prompt, cached, words }: Counts, finishReason?: string): string =>
  data({
    candidates: [{ content: { role: 'model', parts: [{ text }] }, index: 0, finishReason }],
    usageMetadata: {
      promptTokenCount: prompt,
      cachedContentTokenCount: cached,
      candidatesTokenCount: words,
      totalTokenCount: prompt + words,
    },
    responseId: id,
    modelVersion: 'm',
  });

/** Google's generateContent: every piece says what it was so far. */
const generate: Wire = {
  begin: (id, counts) => generated(id, '', counts),
  word: generated,
  end: (id, counts) => generated(id, '', counts, 'STOP'),
};

/** The providers' own ways. */
export const wires: Readonly<Record<string, Wire>> = {
  openai: responses,
  anthropic: messages,
  google: generate,
  xai: chat,
  openrouter: chat,
};

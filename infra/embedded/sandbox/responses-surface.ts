import { askedInResponses } from './asked.ts';
import { outputOf, type Said, type SurfaceOfSandbox } from './surface.ts';

const frame = (data: Readonly<Record<string, unknown> & { type: string }>): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;

const itemId = ({ id }: Said): string => id.replace('resp', 'msg');

const response = (said: Said, status: string, over: object = {}): object => ({
  id: said.id,
  object: 'response',
  created_at: said.created,
  status,
  model: said.asked.model,
  error: null,
  incomplete_details: null,
  output: [],
  usage: null,
  ...over,
});

const ended = (said: Said): object => {
  const { text, tokens } = outputOf(said);
  const { promptTokens, finish } = said.answer;
  const cut = finish === 'length';
  return response(said, cut ? 'incomplete' : 'completed', {
    incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
    output: [
      {
        id: itemId(said),
        type: 'message',
        role: 'assistant',
        status: cut ? 'incomplete' : 'completed',
        content: [{ type: 'output_text', text, annotations: [] }],
      },
    ],
    usage:
      said.asked.knobs.usage === 1
        ? {
            input_tokens: promptTokens,
            input_tokens_details: { cached_tokens: 0 },
            output_tokens: tokens,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: promptTokens + tokens,
          }
        : null,
  });
};

/** The Responses API. */
export const responsesSurface: SurfaceOfSandbox = {
  read: askedInResponses,
  whole: ended,
  start: (said) => frame({ type: 'response.created', response: response(said, 'in_progress') }),
  chunk: (said, text, index) =>
    frame({
      type: 'response.output_text.delta',
      item_id: itemId(said),
      output_index: 0,
      content_index: 0,
      sequence_number: index + 1,
      delta: text,
    }),
  failure: (said) => {
    const error = { code: 'server_error', message: 'The sandbox was told to fail.' };
    return frame({ type: 'response.failed', response: response(said, 'failed', { error }) });
  },
  end: (said) => {
    const type = said.answer.finish === 'length' ? 'response.incomplete' : 'response.completed';
    return frame({ type, response: ended(said) });
  },
};

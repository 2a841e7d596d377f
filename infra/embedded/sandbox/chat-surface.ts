import { askedInChat } from './asked.ts';
import { outputOf, type Said, type SurfaceOfSandbox } from './surface.ts';

const frame = (data: unknown): string => `data: ${JSON.stringify(data)}\n\n`;

const usageOf = (said: Said): object | undefined => {
  if (said.asked.knobs.usage !== 1) return undefined;
  const { tokens } = outputOf(said);
  const { promptTokens } = said.answer;
  return {
    prompt_tokens: promptTokens,
    completion_tokens: tokens,
    total_tokens: promptTokens + tokens,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0 },
  };
};

const piece = ({ id, created, asked }: Said, choices: readonly unknown[], usage?: unknown): string =>
  frame({ id, object: 'chat.completion.chunk', created, model: asked.model, choices, usage });

const delta = (said: Said, content: object, finish: string | null): string =>
  piece(said, [{ index: 0, delta: content, finish_reason: finish }]);

/** Chat Completions. */
export const chatSurface: SurfaceOfSandbox = {
  read: askedInChat,
  whole: (said) => ({
    id: said.id,
    object: 'chat.completion',
    created: said.created,
    model: said.asked.model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: outputOf(said).text, refusal: null },
        finish_reason: said.answer.finish,
      },
    ],
    usage: usageOf(said),
  }),
  start: (said) => delta(said, { role: 'assistant', content: '' }, null),
  chunk: (said, text) => delta(said, { content: text }, null),
  failure: () => frame({ error: { message: 'The sandbox was told to fail.', type: 'server_error', code: null } }),
  end: (said) => {
    const usage = said.asked.includeUsage ? usageOf(said) : undefined;
    return `${delta(said, {}, said.answer.finish)}${usage === undefined ? '' : piece(said, [], usage)}data: [DONE]\n\n`;
  },
};

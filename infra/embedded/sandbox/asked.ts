import { z } from 'zod';
import { knobsOf, type Knobs } from './knobs.ts';

const content = z.union([
  z.string(),
  z.null(),
  z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
]);
const message = z.looseObject({ role: z.string().optional(), content: content.optional() });

const chatBody = z.looseObject({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().positive().nullish(),
  max_completion_tokens: z.int().positive().nullish(),
});

const responsesBody = z.looseObject({
  model: z.string(),
  instructions: z.string().nullish(),
  input: z.union([z.string(), z.array(message)]),
  stream: z.boolean().nullish(),
  max_output_tokens: z.int().positive().nullish(),
});

/** One question to the sandbox, whichever way it was put. */
export type Asked = Readonly<{
  model: string;
  texts: readonly string[];
  /** The last user text, without its directives. */
  echo: string;
  knobs: Knobs;
  maxTokens: number | undefined;
  stream: boolean;
  includeUsage: boolean;
}>;

const textOf = (value: z.infer<typeof content> | undefined): string =>
  typeof value === 'string' ? value : (value ?? []).map(({ text }) => text ?? '').join('');

const asked = (messages: readonly z.infer<typeof message>[], rest: Omit<Asked, 'texts' | 'echo' | 'knobs'>): Asked => {
  const texts = messages.map((one) => textOf(one.content));
  const last = messages.findLast(({ role }) => role === 'user');
  const { knobs, text } = knobsOf(textOf(last?.content));
  return { ...rest, texts, echo: text, knobs };
};

/** Reads a body of Chat Completions; undefined when it is none. */
export const askedInChat = (body: unknown): Asked | undefined => {
  const parsed = chatBody.safeParse(body);
  if (!parsed.success) return undefined;
  const { model, messages, stream, stream_options, max_tokens, max_completion_tokens } = parsed.data;
  return asked(messages, {
    model,
    maxTokens: max_completion_tokens ?? max_tokens ?? undefined,
    stream: stream ?? false,
    includeUsage: stream_options?.include_usage ?? false,
  });
};

/** Reads a body of the Responses API; undefined when it is none. */
export const askedInResponses = (body: unknown): Asked | undefined => {
  const parsed = responsesBody.safeParse(body);
  if (!parsed.success) return undefined;
  const { model, instructions, input, stream, max_output_tokens } = parsed.data;
  const system = instructions === undefined || instructions === null ? [] : [{ role: 'system', content: instructions }];
  const messages = typeof input === 'string' ? [{ role: 'user', content: input }] : input;
  return asked([...system, ...messages], {
    model,
    maxTokens: max_output_tokens ?? undefined,
    stream: stream ?? false,
    includeUsage: true,
  });
};

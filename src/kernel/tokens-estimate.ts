import type { Estimation } from './catalogue.ts';
import type { ChatTask, Part } from './upstream.ts';

/** The port to a tokenizer. Answers at once for short texts, from a worker for long ones. */
export type TokenCounter = Readonly<{ count: (text: string) => number | Promise<number> }>;

const TOKENS_PER_MESSAGE = 4;
/** What a picture of usual size costs at the providers that bill pictures by the tile. */
const TOKENS_PER_IMAGE = 1_100;
/** A page of a PDF is about 48 KiB of base64 and 1,500 tokens of text and picture. */
const DOCUMENT_CHARS_PER_TOKEN = 32;
const TOKENS_PER_DOCUMENT = 1_500;
const DEFAULT_OUTPUT = 2_000;

const mediaTokens = (part: Part): number => {
  if (part.type === 'text') return 0;
  if (part.type === 'image') return TOKENS_PER_IMAGE;
  const chars = part.source.kind === 'base64' ? part.source.data.length : 0;
  return Math.max(TOKENS_PER_DOCUMENT, Math.ceil(chars / DOCUMENT_CHARS_PER_TOKEN));
};

/** All text of a task that the model reads, and the tokens of what is not text. */
const readableOf = (task: ChatTask): Readonly<{ text: string; otherTokens: number }> => {
  let text = '';
  let otherTokens = TOKENS_PER_MESSAGE * task.messages.length;
  for (const message of task.messages) {
    for (const part of message.parts) {
      if (part.type === 'text') text = text === '' ? part.text : `${text}\n${part.text}`;
      else otherTokens += mediaTokens(part);
    }
    if (message.role === 'assistant') {
      for (const call of message.toolCalls) text += `\n${call.name} ${call.arguments}`;
    }
  }
  if (task.tools.length > 0) text += `\n${JSON.stringify(task.tools)}`;
  if (task.responseFormat?.type === 'json_schema') text += `\n${JSON.stringify(task.responseFormat.schema)}`;
  return { text, otherTokens };
};

/** Tokens of the prompt, as the provider will roughly count them. */
export const promptTokensOf = (counter: TokenCounter, task: ChatTask): number | Promise<number> => {
  const { text, otherTokens } = readableOf(task);
  const counted = counter.count(text);
  return typeof counted === 'number' ? counted + otherTokens : counted.then((tokens) => tokens + otherTokens);
};

/** How many tokens a request is expected to use, for the hold. */
export type TokenEstimate = Readonly<{ input: number; output: number }>;

/**
 * The expected tokens of a request: the model's own factors over the counted prompt and over `maxTokens` (else the
 * model's usual answer, else 2,000), never more output than the context window leaves.
 */
export const estimateTokens = (
  counted: number,
  options: Readonly<{ maxTokens: number | undefined; contextWindow: number; estimation: Estimation | undefined }>,
): TokenEstimate => {
  const { maxTokens, contextWindow, estimation } = options;
  const base = maxTokens ?? estimation?.avgOutputTokens ?? DEFAULT_OUTPUT;
  const input =
    estimation === undefined ? counted : Math.trunc(counted * estimation.inputMultiplier + estimation.inputOffset);
  const output =
    estimation === undefined ? base : Math.trunc(base * estimation.outputMultiplier + estimation.outputOffset);
  const room = contextWindow > 0 ? contextWindow - counted : output;
  return { input: Math.max(0, input), output: Math.max(0, Math.min(output, room)) };
};

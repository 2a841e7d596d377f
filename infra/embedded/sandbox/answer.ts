import { decodeGenerator, encode } from 'gpt-tokenizer/encoding/o200k_base';
import { countTokens } from '../../tokenizer/count-tokens.ts';
import type { Knobs } from './knobs.ts';

/** A chunk of the answer and the tokens in it. */
export type Chunk = Readonly<{ text: string; tokens: number }>;

/** What the sandbox says: the same for the same prompt, always. */
export type SandboxAnswer = Readonly<{
  chunks: readonly Chunk[];
  finish: 'stop' | 'length';
  promptTokens: number;
}>;

const AS_TEXT = { disallowedSpecial: new Set<string>() };
/** Every message costs its frame, and the answer's start costs one more. */
const TOKENS_PER_MESSAGE = 3;
const NOTHING_TO_SAY = 'You said nothing.';

const tokensOf = (text: string, length: number): readonly number[] => {
  const echo = encode(text === '' ? NOTHING_TO_SAY : text, AS_TEXT);
  if (length === 0) return echo;
  return Array.from({ length }, (_none, place) => echo[place % echo.length] ?? 0);
};

/** Groups of `size` tokens; a character that spans tokens comes with the last of them. */
const chunksOf = (tokens: readonly number[], size: number): readonly Chunk[] => {
  const chunks: Chunk[] = [];
  for (let from = 0; from < tokens.length; from += size) {
    chunks.push({ text: '', tokens: Math.min(size, tokens.length - from) });
  }
  const texts: string[] = chunks.map(() => '');
  let place = 0;
  for (const piece of decodeGenerator(tokens)) {
    const chunk = Math.min(texts.length - 1, Math.floor(place / size));
    texts[chunk] = (texts[chunk] ?? '') + piece;
    place += countTokens(piece);
  }
  return chunks.map((chunk, index) => ({ ...chunk, text: texts[index] ?? '' }));
};

/** Echoes the last user text, as long as the knobs and the caller's limit want it. */
export const answerTo = (
  texts: readonly string[],
  echo: string,
  { tokens: length, size, chunks: count }: Knobs,
  maxTokens: number | undefined,
): SandboxAnswer => {
  const full = tokensOf(echo, Math.max(0, length));
  const said = maxTokens === undefined ? full : full.slice(0, maxTokens);
  const perChunk = count > 0 ? Math.ceil(said.length / count) : Math.max(1, size);
  const prompt = texts.reduce((sum, text) => sum + countTokens(text) + TOKENS_PER_MESSAGE, TOKENS_PER_MESSAGE);
  return {
    chunks: chunksOf(said, Math.max(1, perChunk)),
    finish: said.length < full.length ? 'length' : 'stop',
    promptTokens: prompt,
  };
};

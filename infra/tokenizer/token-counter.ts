import { Piscina } from 'piscina';
import type { TokenCounter } from '../../src/kernel/tokens-estimate.ts';
import { countTokens } from './count-tokens.ts';

/** About a millisecond of work. */
const INLINE_CHARS = 4_096;
/** Beyond this no model could read the text anyway; the rest is taken to be like English. */
const MOST_CHARS = 16 * 1024 * 1024;
const CHARS_PER_TOKEN = 4;
const LONGEST_MS = 5_000;

/** Counts tokens: short texts at once, long ones in a worker thread that starts with the first of them. */
export const tokenCounter = (): TokenCounter & Readonly<{ close: () => Promise<void> }> => {
  let pool: Piscina<string, number> | undefined;
  // The first call compiles the encoder; better now than during a request.
  countTokens('The first text is slow to count, so it is this one.');

  const inWorker = async (text: string): Promise<number> => {
    pool ??= new Piscina<string, number>({
      filename: new URL('count-tokens.worker.ts', import.meta.url).href,
      minThreads: 1,
      maxThreads: 2,
      idleTimeout: 60_000,
    });
    const rest = Math.max(0, text.length - MOST_CHARS);
    try {
      const head = rest === 0 ? text : text.slice(0, MOST_CHARS);
      return (await pool.run(head, { signal: AbortSignal.timeout(LONGEST_MS) })) + Math.ceil(rest / CHARS_PER_TOKEN);
    } catch (error) {
      // A text made to be slow must not keep the worker from others; its hold becomes as large as can be.
      if (error instanceof Error && error.name === 'AbortError') return text.length;
      throw error;
    }
  };

  return {
    count: (text) => (text.length <= INLINE_CHARS ? countTokens(text) : inWorker(text)),
    close: async () => {
      await pool?.destroy();
    },
  };
};

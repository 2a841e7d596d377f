import type { Ended } from '../../../../commands/completions/running-completion.ts';
import { usdNumber } from '../../../kernel/money.ts';
import { completionTokens, promptTokens } from '../../../kernel/usage.ts';
import { chunkUsage, type ChunkFrames } from './chunk-frames.ts';

type Charged = Pick<Ended, 'finish' | 'usage' | 'charged'>;

/** What a client is told last of an answer: what was charged, in USD, and for how many tokens. */
export const finalCharge = ({ usage, charged }: Charged): object => ({
  finalCost: usdNumber(charged),
  tokensInput: usage === undefined ? 0 : promptTokens(usage),
  tokensOutput: usage === undefined ? 0 : completionTokens(usage),
  cacheReadTokens: usage?.inputCachedRead ?? 0,
  cacheWriteTokens: usage?.inputCacheWrite ?? 0,
});

/** The last chunk of an answer: why it ended, and its usage. */
export const lastChunk = (frames: ChunkFrames, { finish, usage, charged }: Charged): string =>
  frames.with({
    choices: [{ index: 0, delta: {}, finish_reason: finish ?? 'stop' }],
    ...(usage === undefined ? {} : { usage: chunkUsage(usage, charged) }),
  });

import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import type { Usage } from '../../../src/kernel/usage.ts';
import { countOf } from './json-members.ts';

/** What a provider counted, as most of them count: parts stand inside the wholes. */
export type Counted = Readonly<{
  /** All of the prompt. */
  input: number;
  cachedRead?: number | undefined;
  cacheWrite?: number | undefined;
  /** Sound in the prompt, cached or not. */
  audio?: number | undefined;
  /** Sound among what was read from the cache. */
  audioCached?: number | undefined;
  /** All of the answer. */
  output: number;
  reasoning?: number | undefined;
  audioOutput?: number | undefined;
  webSearches?: number | undefined;
  providerCost?: string | undefined;
  source: Usage['source'];
  complete: boolean;
}>;

/** A count of a usage block: undefined when it is not there, NaN when it makes no sense. */
export const tokensOf = (value: unknown): number | undefined =>
  value === undefined || value === null ? undefined : (countOf(value) ?? NaN);

/** Takes no more out of what is left than there is. */
const share = (left: number, wanted: number | undefined): number => Math.min(left, wanted ?? 0);

const optional = (members: Readonly<Record<string, number | string | undefined>>): Partial<Usage> =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== 0));

const makesNoSense = (counted: Counted): boolean => Object.values(counted).some((value) => Number.isNaN(value));

/** Takes the parts out of the wholes, so that every token is in exactly one class and none of them is negative. */
const split = (counted: Counted): Usage => {
  const { input, output, source, complete } = counted;
  const cached = share(input, counted.cachedRead);
  const inputAudioCached = share(cached, counted.audioCached);
  const inputCacheWrite = share(input - cached, counted.cacheWrite);
  const uncached = input - cached - inputCacheWrite;
  const inputAudio = share(uncached, Math.max(0, (counted.audio ?? 0) - inputAudioCached));
  const outputReasoning = share(output, counted.reasoning);
  const outputAudio = share(output - outputReasoning, counted.audioOutput);
  return {
    inputUncached: uncached - inputAudio,
    inputCachedRead: cached - inputAudioCached,
    inputCacheWrite,
    outputVisible: output - outputReasoning - outputAudio,
    outputReasoning,
    ...optional({ inputAudio, inputAudioCached, outputAudio }),
    ...optional({ webSearches: counted.webSearches, providerCost: counted.providerCost }),
    source,
    complete,
  };
};

/** A usage block as an event; undefined when one of its counts makes no sense, for then none of them can be trusted. */
export const usageEvent = (counted: Counted, raw: unknown): UpstreamEvent | undefined =>
  makesNoSense(counted) ? undefined : { type: 'usage', usage: split(counted), raw };

import type { Price, Rates } from './catalogue.ts';
import { divideHalfEven, microFromPico, type MicroUsd, type PicoUsd } from './money.ts';
import { promptTokens, type Usage } from './usage.ts';

/** Tokens of one class, their rate and their cost. For searches of the web `tokens` is their number. */
export type PricedTokens = Readonly<{ class: string; tokens: number; rate: PicoUsd; cost: PicoUsd }>;

/** What a usage costs: `cost` is the exact `pico`, rounded once, half to even. */
export type Cost = Readonly<{ lines: readonly PricedTokens[]; pico: PicoUsd; cost: MicroUsd }>;

/** The rates that a request with so many prompt tokens is charged at, all of it. */
export const ratesFor = (price: Price, prompt: number): Rates =>
  price.longContext !== undefined && price.longContextAbove !== undefined && prompt > price.longContextAbove
    ? price.longContext
    : price;

/** Cached sound without a rate of its own costs what sound or else the cache does. */
const allRates = (rates: Rates): Required<Rates> => {
  const { input, output, cacheRead = input, cachedAudioInput = rates.audioInput ?? cacheRead } = rates;
  const given = { cacheWrite: input, audioInput: input, reasoning: output, audioOutput: output, webSearch: 0n };
  return { ...given, ...rates, cacheRead, cachedAudioInput };
};

/** Every class of usage with its rate. */
const classesOf = (usage: Usage, rates: Required<Rates>): readonly (readonly [string, number, PicoUsd])[] => [
  ['input', usage.inputUncached, rates.input],
  ['input_audio', usage.inputAudio ?? 0, rates.audioInput],
  ['input_cache_read', usage.inputCachedRead, rates.cacheRead],
  ['input_audio_cache_read', usage.inputAudioCached ?? 0, rates.cachedAudioInput],
  ['input_cache_write', usage.inputCacheWrite, rates.cacheWrite],
  ['output', usage.outputVisible, rates.output],
  ['output_audio', usage.outputAudio ?? 0, rates.audioOutput],
  ['output_reasoning', usage.outputReasoning, rates.reasoning],
  ['web_search', usage.webSearches ?? 0, rates.webSearch],
];

/** The cost of a usage. Classes without tokens have no line. */
export const costOf = (usage: Usage, price: Price): Cost => {
  const lines: PricedTokens[] = [];
  let pico = 0n;
  for (const [name, count, rate] of classesOf(usage, allRates(ratesFor(price, promptTokens(usage))))) {
    if (count === 0) continue;
    const cost = BigInt(count) * rate;
    pico += cost;
    lines.push({ class: name, tokens: count, rate, cost });
  }
  return { lines, pico, cost: microFromPico(pico) };
};

const BPS = 10_000n;

/** What is put on hold above the estimate: a share of it in basis points. */
export const marginOf = (estimate: MicroUsd, bps: bigint): MicroUsd => divideHalfEven(estimate * bps, BPS);

/** Reads a decimal in USD per million tokens ("0.275") as pico-USD per token; undefined when it is not exact. */
export const picoFromUsdPerMillion = (text: string): PicoUsd | undefined => {
  const match = /^(\d{1,6})(?:\.(\d{1,6}))?$/.exec(text);
  if (match === null) return undefined;
  return BigInt(match[1] ?? '0') * 1_000_000n + BigInt((match[2] ?? '').padEnd(6, '0'));
};

/** Reads a decimal in USD per thousand calls ("10") as pico-USD per call; undefined when it is not exact. */
export const picoFromUsdPerThousand = (text: string): PicoUsd | undefined => {
  const perMillion = picoFromUsdPerMillion(text);
  return perMillion === undefined ? undefined : perMillion * 1_000n;
};

/** Pico-USD as a plain decimal in USD without trailing zeros, exact. */
export const usdTextOfPico = (pico: PicoUsd): string => {
  const digits = pico.toString().padStart(13, '0');
  const fraction = digits.slice(-12).replace(/0+$/, '');
  return `${digits.slice(0, -12)}${fraction === '' ? '' : `.${fraction}`}`;
};

/** A rate as USD per million tokens, as clients show it ("2", "0.25"). */
export const usdPerMillion = (rate: PicoUsd): string => usdTextOfPico(rate * 1_000_000n);

/** The price of one call as USD per thousand calls. */
export const usdPerThousand = (rate: PicoUsd): string => usdTextOfPico(rate * 1_000n);

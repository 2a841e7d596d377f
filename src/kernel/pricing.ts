import type { Price, Rates } from './catalogue.ts';
import { divideHalfEven, microFromPico, type MicroUsd, type PicoUsd } from './money.ts';
import { promptTokens, type Usage } from './usage.ts';

/** Tokens of one class, their rate and their cost. */
export type PricedTokens = Readonly<{ class: string; tokens: number; rate: PicoUsd; cost: PicoUsd }>;

/** What a usage costs: `cost` is the exact `pico`, rounded once, half to even. */
export type Cost = Readonly<{ lines: readonly PricedTokens[]; pico: PicoUsd; cost: MicroUsd }>;

/** The rates that a request with so many prompt tokens is charged at, all of it. */
export const ratesFor = (price: Price, prompt: number): Rates =>
  price.longContext !== undefined && price.longContextAbove !== undefined && prompt > price.longContextAbove
    ? price.longContext
    : price;

/** The cost of a usage. Classes without tokens have no line. */
export const costOf = (usage: Usage, price: Price): Cost => {
  const { input, output, cacheRead = input, cacheWrite = input } = ratesFor(price, promptTokens(usage));
  const lines: PricedTokens[] = [];
  let pico = 0n;
  const add = (name: string, tokens: number, rate: PicoUsd): void => {
    if (tokens === 0) return;
    const cost = BigInt(tokens) * rate;
    pico += cost;
    lines.push({ class: name, tokens, rate, cost });
  };
  add('input', usage.inputUncached, input);
  add('input_cache_read', usage.inputCachedRead, cacheRead);
  add('input_cache_write', usage.inputCacheWrite, cacheWrite);
  add('output', usage.outputVisible, output);
  add('output_reasoning', usage.outputReasoning, output);
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

/** Pico-USD as a plain decimal in USD without trailing zeros, exact. */
export const usdTextOfPico = (pico: PicoUsd): string => {
  const digits = pico.toString().padStart(13, '0');
  const fraction = digits.slice(-12).replace(/0+$/, '');
  return `${digits.slice(0, -12)}${fraction === '' ? '' : `.${fraction}`}`;
};

/** A rate as USD per million tokens, as clients show it ("2", "0.25"). */
export const usdPerMillion = (rate: PicoUsd): string => usdTextOfPico(rate * 1_000_000n);

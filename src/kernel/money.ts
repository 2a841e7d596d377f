/** Integer micro-USD: 1 USD = 1_000_000. The only unit of money in the domain. */
export type MicroUsd = bigint;

/** Integer pico-USD per token: 1 USD per million tokens = 1_000_000 pico per token. The unit of prices. */
export type PicoUsd = bigint;

/** Micro-USD as events carry it: decimal digits, so that no JSON tool rounds it. */
export type MicroText = string;

const MICRO = 1_000_000n;
const PICO_PER_MICRO = 1_000_000n;

/** Reads micro-USD from an event. Throws on anything but decimal digits with an optional sign: that is a fault. */
export const microOf = (text: MicroText): MicroUsd => {
  if (!/^-?\d+$/.test(text)) throw new Error('not an amount in micro-USD');
  return BigInt(text);
};

/** Writes micro-USD for an event. */
export const microText = (amount: MicroUsd): MicroText => amount.toString();

/** `a / b` rounded half to even. Both signs; `b` > 0. */
export const divideHalfEven = (a: bigint, b: bigint): bigint => {
  const negative = a < 0n;
  const magnitude = negative ? -a : a;
  const quotient = magnitude / b;
  const twice = (magnitude % b) * 2n;
  const up = twice > b || (twice === b && quotient % 2n === 1n);
  const rounded = up ? quotient + 1n : quotient;
  return negative ? -rounded : rounded;
};

/** Rounds a cost once, half to even, from pico-USD to micro-USD. */
export const microFromPico = (pico: PicoUsd): MicroUsd => divideHalfEven(pico, PICO_PER_MICRO);

/** A plain decimal in USD without trailing zeros ("12.34", "0", "-0.000001"), exact to the micro-dollar. */
export const usdText = (amount: MicroUsd): string => {
  const sign = amount < 0n ? '-' : '';
  const magnitude = amount < 0n ? -amount : amount;
  const fraction = (magnitude % MICRO).toString().padStart(6, '0').replace(/0+$/, '');
  return `${sign}${(magnitude / MICRO).toString()}${fraction === '' ? '' : `.${fraction}`}`;
};

/**
 * USD as a JSON number, for the answers whose clients decode numbers. Exact for every amount below 9 billion USD to six
 * decimals when printed; never read back into the domain.
 */
export const usdNumber = (amount: MicroUsd): number => Number(amount) / 1e6;

/** Reads a decimal in USD with at most six decimals ("2.00") as micro-USD; undefined when it is anything else. */
export const microFromUsdText = (text: string): MicroUsd | undefined => {
  const match = /^(-?)(\d{1,12})(?:\.(\d{1,6}))?$/.exec(text.trim());
  if (match === null) return undefined;
  const magnitude = BigInt(match[2] ?? '0') * MICRO + BigInt((match[3] ?? '').padEnd(6, '0'));
  return match[1] === '-' ? -magnitude : magnitude;
};

/** The smaller of two amounts. */
export const minOf = (a: bigint, b: bigint): bigint => (a < b ? a : b);

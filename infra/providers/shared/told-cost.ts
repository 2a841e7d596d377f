import { objectOf } from './json-members.ts';

/** A plain decimal: "0.0000113" for what JSON writes as 1.13e-05. */
const plainDecimal = (text: string): string => {
  const match = /^(\d+)(?:\.(\d+))?e([+-]\d+)$/i.exec(text);
  if (match === null) return text;
  const [, whole = '', fraction = '', exponent = '0'] = match;
  const places = fraction.length - Number(exponent);
  const digits = whole + fraction + '0'.repeat(Math.max(0, -places));
  if (places <= 0) return digits;
  const padded = digits.padStart(places + 1, '0');
  return `${padded.slice(0, -places)}.${padded.slice(-places)}`;
};

const isCost = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value) && value >= 0;

/** Ten billion of xAI's ticks are a dollar. */
const TICKS_PLACES = 10;

const ofTicks = (ticks: number): string => {
  const digits = String(ticks).padStart(TICKS_PLACES + 1, '0');
  const fraction = digits.slice(-TICKS_PLACES).replace(/0+$/, '');
  return `${digits.slice(0, -TICKS_PLACES)}${fraction === '' ? '' : `.${fraction}`}`;
};

/**
 * What a usage block says that the call cost, in USD as a plain decimal; undefined when it says nothing. A cost that is
 * an object has an `amount` or a `total`.
 */
export const toldCost = (block: Readonly<Record<string, unknown>>): string | undefined => {
  const { cost, cost_in_usd_ticks: ticks } = block;
  if (Number.isSafeInteger(ticks) && isCost(ticks)) return ofTicks(ticks);
  const { amount, total } = objectOf(cost);
  const told = amount ?? total ?? cost;
  if (typeof told === 'string') return /^\d+(?:\.\d+)?$/.test(told) ? told : undefined;
  return isCost(told) ? plainDecimal(String(told)) : undefined;
};

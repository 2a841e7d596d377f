import { createHash } from 'node:crypto';
import type { Price, Rates } from './catalogue.ts';
import { usdPerMillion, usdPerThousand } from './pricing.ts';

/** As it is, but with whole numbers of money as decimal digits. */
type InDigits<T> = { readonly [K in keyof T]: T[K] extends bigint | undefined ? string : InDigits<T[K]> };

/** A price as events carry it: pico-USD in decimal digits. */
export type PriceText = InDigits<Price>;

const textOf = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? value.toString() : value);

const moneyOf = (_key: string, value: unknown): unknown => (typeof value === 'string' ? BigInt(value) : value);

/** A price for an event. */
export const priceText = (price: Price): PriceText => JSON.parse(JSON.stringify(price, textOf)) as PriceText;

/** The price that an event carries. Throws on anything but decimal digits: that is a fault. */
export const priceFromText = (text: PriceText): Price => JSON.parse(JSON.stringify(text), moneyOf) as Price;

/** What names a price on every charge: the book that it was first told in, and a hash of its rates. */
export const priceVersionOf = (book: string, price: Price): string =>
  `${book}/${createHash('sha256').update(JSON.stringify(price, textOf)).digest('hex').slice(0, 12)}`;

const ratesInUsd = (rates: Rates): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(rates).flatMap(([name, rate]) => {
      if (typeof rate !== 'bigint') return [];
      return [[name, name === 'webSearch' ? usdPerThousand(rate) : usdPerMillion(rate)]];
    }),
  );

/** A price as operators read and write it: USD per million tokens, USD per thousand searches, as decimal text. */
export const priceInUsd = ({ longContext, longContextAbove, ...rates }: Price): object => ({
  ...ratesInUsd(rates),
  ...(longContext === undefined ? {} : { longContext: { above: longContextAbove, ...ratesInUsd(longContext) } }),
});

import { DomainError } from '../../src/kernel/errors.ts';

/** The fee on purchases from `minMinor` up to but without `maxMinor` (null: no end), in basis points. Cents. */
export type FeeTier = Readonly<{ minMinor: number; maxMinor: number | null; feeRateBps: number; label: string }>;

/** What may be bought and what it costs. Cents. */
export type PurchasePolicy = Readonly<{ tiers: readonly FeeTier[]; maxMinor: number }>;

/** The fees and the limit when nothing else is configured. */
export const usualPurchasePolicy: PurchasePolicy = {
  tiers: [
    { minMinor: 300, maxMinor: 1200, feeRateBps: 2000, label: 'STARTER' },
    { minMinor: 1200, maxMinor: 9900, feeRateBps: 1000, label: 'SAVER' },
    { minMinor: 9900, maxMinor: null, feeRateBps: 500, label: 'BULK' },
  ],
  maxMinor: 100_000,
};

const BASIS = 10_000n;

/** A share of a whole amount, rounded half up. All whole numbers, `whole` and `of` not negative, `of` > 0. */
export const shareOf = (amount: number, whole: number, of: number): number =>
  Number((2n * BigInt(amount) * BigInt(whole) + BigInt(of)) / (2n * BigInt(of)));

/** An amount in USD as cents. Refused with invalid_argument when it is no positive amount of whole cents. */
export const centsOf = (amount: number): number => {
  const [, whole = '', fraction = ''] = /^(\d{1,9})(?:\.(\d{1,2}))?$/.exec(String(amount)) ?? [];
  const cents = Number(whole) * 100 + Number(fraction.padEnd(2, '0'));
  if (whole !== '' && cents > 0) return cents;
  throw new DomainError('invalid_argument', 'the amount must be positive and have at most two decimals');
};

/** What a gross amount is made of. */
export type Priced = Readonly<{ feeMinor: number; creditMinor: number; tier: FeeTier }>;

const dollars = (cents: number): string => (cents / 100).toFixed(2);

/** The price of an amount. Refused with invalid_argument when so much or so little cannot be bought. */
export const priced = ({ tiers, maxMinor }: PurchasePolicy, grossMinor: number): Priced => {
  if (grossMinor > maxMinor) {
    throw new DomainError('invalid_argument', `at most ${dollars(maxMinor)} USD can be bought at a time`, {
      details: { maxUsd: dollars(maxMinor) },
    });
  }
  const tier = tiers.find(
    ({ minMinor, maxMinor: end }) => grossMinor >= minMinor && (end === null || grossMinor < end),
  );
  if (tier === undefined) {
    const least = dollars(Math.min(...tiers.map(({ minMinor }) => minMinor)));
    throw new DomainError('invalid_argument', `at least ${least} USD can be bought`, { details: { minUsd: least } });
  }
  const feeMinor = shareOf(tier.feeRateBps, grossMinor, Number(BASIS));
  return { feeMinor, creditMinor: grossMinor - feeMinor, tier };
};

import type { FeeTier, PurchaseLimits } from '../../src/events/billing-policy/billing-policy.events.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { BillingPolicy } from '../billing-policy/billing-policy.state.ts';

/** What may be bought and what it costs. Cents. `version` names the tiers. */
export type PurchasePolicy = Readonly<{ version: string; tiers: readonly FeeTier[]; maxMinor: number }>;

/** The fees that the build brings. */
export const usualFeeTiers: readonly FeeTier[] = [
  { minMinor: 300, maxMinor: 1200, feeRateBps: 2000, label: 'STARTER' },
  { minMinor: 1200, maxMinor: 9900, feeRateBps: 1000, label: 'SAVER' },
  { minMinor: 9900, maxMinor: null, feeRateBps: 500, label: 'BULK' },
];

/** The limits that the build brings. */
export const usualPurchaseLimits: PurchaseLimits = {
  maxMinor: 100_000,
  dailyTopOffMinor: 100_000,
  dailyTopOffCount: 5,
};

/** What a purchase is decided by, of the policy in force. */
export const purchasePolicyOf = ({ feeVersion, tiers, limits }: Omit<BillingPolicy, 'promo'>): PurchasePolicy => ({
  version: feeVersion,
  tiers,
  maxMinor: limits.maxMinor,
});

const BASIS = 10_000n;

/** A share of a whole amount, rounded half up. All whole numbers, `whole` and `of` not negative, `of` > 0. */
export const shareOf = (amount: number, whole: number, of: number): number =>
  Number((2n * BigInt(amount) * BigInt(whole) + BigInt(of)) / (2n * BigInt(of)));

/** An amount in USD as cents. Refused with invalid_argument when it is no positive amount of whole cents. */
export const centsOf = (amount: number): number => {
  const [, whole = '', fraction = ''] = /^(\d{1,12})(?:\.(\d{1,2}))?$/.exec(String(amount)) ?? [];
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

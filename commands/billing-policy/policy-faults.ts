import type { FeeTier } from '../../src/events/billing-policy/billing-policy.events.ts';
import type { BillingPolicy } from './billing-policy.state.ts';

/** What the payment provider takes at least and at most in one payment. Cents. */
const LEAST_MINOR = 50;
const MOST_MINOR = 99_999_999;
/** A fee of everything would leave no credit. */
const WHOLE_BPS = 10_000;

const tierFaults = (tier: FeeTier, index: number, tiers: readonly FeeTier[]): readonly string[] => {
  const { minMinor, maxMinor, feeRateBps, label } = tier;
  const next = tiers[index + 1];
  const name = `tier ${index + 1}`;
  return [
    ...(label.trim() === '' ? [`${name} has no label`] : []),
    ...(feeRateBps < 0 || feeRateBps >= WHOLE_BPS ? [`${name} must have a fee rate from 0 up to but without 1`] : []),
    ...(maxMinor !== null && maxMinor <= minMinor ? [`${name} ends before it begins`] : []),
    ...(next !== undefined && maxMinor !== next.minMinor ? [`tier ${index + 2} must begin where ${name} ends`] : []),
  ];
};

/** Everything that is wrong with a policy, one line each. */
export const policyFaults = ({ tiers, limits, promo }: BillingPolicy): readonly string[] => {
  const least = tiers[0]?.minMinor ?? 0;
  const { maxMinor, dailyTopOffMinor, dailyTopOffCount } = limits;
  return [
    ...(tiers.length === 0 ? ['there must be a tier'] : []),
    ...(tiers.length > 0 && least < LEAST_MINOR ? ['the first tier must begin at 0.50 or above'] : []),
    ...tiers.flatMap(tierFaults),
    ...(maxMinor < least || maxMinor > MOST_MINOR ? ['the largest purchase must be within the tiers'] : []),
    ...(dailyTopOffMinor < 0 || dailyTopOffCount < 0 ? ['the limits of a day must not be negative'] : []),
    ...(promo.amount < 0n || promo.days < 1 ? ['the free credit must not be negative and must last a day'] : []),
  ];
};

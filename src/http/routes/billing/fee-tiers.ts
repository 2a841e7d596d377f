import type { FeeTier } from '../../../events/billing-policy/billing-policy.events.ts';
import { usdText } from '../../../kernel/money.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

const MICRO_PER_CENT = 10_000n;

/** Cents as a plain decimal in USD: 1250 is "12.5". */
export const centsText = (cents: number): string => usdText(BigInt(cents) * MICRO_PER_CENT);

/** Basis points as a plain decimal: 2000 is "0.2". */
export const rateText = (basisPoints: number | bigint): string => usdText(BigInt(basisPoints) * 100n);

/** A tier as the apps read it. */
export const tierView = ({ minMinor, maxMinor, feeRateBps, label }: FeeTier) => ({
  min: centsText(minMinor),
  max: maxMinor === null ? null : centsText(maxMinor),
  feeRate: rateText(feeRateBps),
  label,
});

/** What buying credits costs, by amount. */
export const purchaseFeeTiers = ({ feeTiers }: Readonly<{ feeTiers: () => readonly FeeTier[] }>): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/billing/credits/purchase-fee-tiers',
    limit: 'read',
    scope: 'account',
    handle: () => Promise.resolve(json(200, { tiers: feeTiers().map(tierView) })),
  });

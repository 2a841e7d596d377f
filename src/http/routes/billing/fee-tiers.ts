import { usualPurchasePolicy } from '../../../../commands/purchases/fee-tiers.ts';
import { usdText, type MicroUsd } from '../../../kernel/money.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

/** The fee on purchases from `min` up to but without `max` (null: no end), in basis points. */
export type FeeTier = Readonly<{ min: MicroUsd; max: MicroUsd | null; feeBasisPoints: number; label: string }>;

const MICRO_PER_CENT = 10_000n;

/** The fees when nothing else is configured. */
export const usualFeeTiers: readonly FeeTier[] = usualPurchasePolicy.tiers.map((tier) => ({
  min: BigInt(tier.minMinor) * MICRO_PER_CENT,
  max: tier.maxMinor === null ? null : BigInt(tier.maxMinor) * MICRO_PER_CENT,
  feeBasisPoints: tier.feeRateBps,
  label: tier.label,
}));

/** Basis points as a plain decimal: 2000 is "0.2". */
const rateText = (basisPoints: number): string => usdText(BigInt(basisPoints) * 100n);

/** What buying credits costs, by amount. */
export const purchaseFeeTiers = ({ feeTiers }: Readonly<{ feeTiers: readonly FeeTier[] }>): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/billing/credits/purchase-fee-tiers',
    limit: 'read',
    scope: 'account',
    handle: () => {
      const tiers = feeTiers.map(({ min, max, feeBasisPoints, label }) => ({
        min: usdText(min),
        max: max === null ? null : usdText(max),
        feeRate: rateText(feeBasisPoints),
        label,
      }));
      return Promise.resolve(json(200, { tiers }));
    },
  });

import { usdText, type MicroUsd } from '../../../kernel/money.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

/** The fee on purchases from `min` up to but without `max` (null: no end), in basis points. */
export type FeeTier = Readonly<{ min: MicroUsd; max: MicroUsd | null; feeBasisPoints: number; label: string }>;

/** The fees when nothing else is configured. */
export const usualFeeTiers: readonly FeeTier[] = [
  { min: 3_000_000n, max: 12_000_000n, feeBasisPoints: 2000, label: 'STARTER' },
  { min: 12_000_000n, max: 99_000_000n, feeBasisPoints: 1000, label: 'SAVER' },
  { min: 99_000_000n, max: null, feeBasisPoints: 500, label: 'BULK' },
];

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

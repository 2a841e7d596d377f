import { nothingChanged, policyOf } from '../../commands/billing-policy/billing-policy.state.ts';
import { purchasePolicyOf } from '../../commands/purchases/fee-tiers.ts';
import { builtPolicy } from '../../src/app/live-policy.ts';

/** What money costs when nobody changed anything. */
export const usualPolicy = policyOf(
  builtPolicy({ FREE_CREDITS_AMOUNT: '2.00', FREE_CREDITS_EXPIRY_DAYS: 180 }),
  nothingChanged,
);

/** What purchases are decided by then. */
export const usualPurchasePolicy = purchasePolicyOf(usualPolicy);

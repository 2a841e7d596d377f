import type { Upcasters } from '../../kernel/upcasting.ts';
import type { BillingPolicyEvent } from './billing-policy.events.ts';

/** Every event of the policy is still in its first shape. */
export const billingPolicyUpcasters: Upcasters<BillingPolicyEvent> = {};

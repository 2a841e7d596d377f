import type { Upcasters } from '../../kernel/upcasting.ts';
import type { BillingProfileEvent, StripeCustomerClaimed } from './billing-profile.events.ts';

/** Every event of a profile is still in its first shape. */
export const billingProfileUpcasters: Upcasters<BillingProfileEvent> = {};

/** So is the claim of a customer. */
export const stripeCustomerUpcasters: Upcasters<StripeCustomerClaimed> = {};

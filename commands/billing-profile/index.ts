import {
  BILLING_PROFILE,
  STRIPE_CUSTOMER,
  type BillingProfileEvent,
  type StripeCustomerClaimed,
} from '../../src/events/billing-profile/billing-profile.events.ts';
import {
  billingProfileUpcasters,
  stripeCustomerUpcasters,
} from '../../src/events/billing-profile/billing-profile.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { BillingProfileCommand } from './billing-profile.commands.ts';
import { billingProfileDecider } from './billing-profile.decider.ts';
import type { BillingProfile } from './billing-profile.state.ts';

/** How a user pays, by user id. */
export const billingProfileAggregate: Aggregate<BillingProfile, BillingProfileCommand, BillingProfileEvent> = {
  category: BILLING_PROFILE,
  decider: billingProfileDecider,
  upcasters: billingProfileUpcasters,
};

/** Takes a customer for a user; says nothing when somebody has it. Key `claim:<userId>`. */
export type ClaimCustomer = Command<'ClaimCustomer', Readonly<{ userId: string; at: IsoTime }>>;

/** The user whose customer it is. */
export type CustomerOwner = Readonly<{ userId: string | null }>;

/** Whose a customer is, by customer id: nobody's credit ever goes to somebody else. */
export const stripeCustomerAggregate: Aggregate<CustomerOwner, ClaimCustomer, StripeCustomerClaimed> = {
  category: STRIPE_CUSTOMER,
  decider: {
    initial: { userId: null },
    evolve: (_owner, { data }) => ({ userId: data.userId }),
    decide: ({ data }, { userId }) => (userId === null ? [{ type: 'StripeCustomerClaimed', data }] : []),
  },
  upcasters: stripeCustomerUpcasters,
};

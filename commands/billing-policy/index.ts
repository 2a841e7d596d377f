import { BILLING_POLICY, type BillingPolicyEvent } from '../../src/events/billing-policy/billing-policy.events.ts';
import { billingPolicyUpcasters } from '../../src/events/billing-policy/billing-policy.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { BillingPolicyCommand } from './billing-policy.commands.ts';
import { billingPolicyDecider } from './billing-policy.decider.ts';
import type { BuiltPolicy, PolicyChanges } from './billing-policy.state.ts';

/** What money costs: a build, and the changes to it, which are one stream. */
export const billingPolicyAggregate = (
  build: BuiltPolicy,
): Aggregate<PolicyChanges, BillingPolicyCommand, BillingPolicyEvent> => ({
  category: BILLING_POLICY,
  decider: billingPolicyDecider(build),
  upcasters: billingPolicyUpcasters,
});

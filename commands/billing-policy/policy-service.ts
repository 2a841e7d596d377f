import { BILLING_POLICY_ID, type BillingPolicyEvent } from '../../src/events/billing-policy/billing-policy.events.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { BillingPolicyCommand, PolicyWish } from './billing-policy.commands.ts';
import { feeVersionOf, type BuiltPolicy, type PolicyChanges } from './billing-policy.state.ts';

/** Why, and at which revision alone. */
export type PolicyNote = Pick<PolicyWish['data'], 'reason' | 'ifRevision'>;

type Bare<W> = W extends PolicyWish
  ? Readonly<{ type: W['type']; data: Omit<W['data'], 'at' | keyof PolicyNote> }>
  : never;

/** A wish as such: what is to be different. */
export type AskedPolicy = Bare<PolicyWish>;

/** The write side of the billing policy. */
export type PolicyService = Readonly<{
  /** The changes so far, this one among them; this process goes by them when it resolves. */
  change: (asked: AskedPolicy, note: PolicyNote, cause: Cause) => Promise<PolicyChanges>;
  /** Has the build's tiers in the log and answers the changes so far. Idempotent. */
  publish: (cause: Cause) => Promise<PolicyChanges>;
  /** The changes so far, read up to the end of the stream. */
  read: () => Promise<PolicyChanges>;
}>;

type Deps = Readonly<{
  build: BuiltPolicy;
  handler: CommandHandler<PolicyChanges, BillingPolicyCommand, BillingPolicyEvent>;
  /** Told of the state after each change by this process. */
  changed: (changes: PolicyChanges) => void;
}>;

const wishOf = ({ type, data }: AskedPolicy, note: PolicyNote, { causationId, at }: Cause): PolicyWish =>
  // Each type still stands with its own data; the compiler does not follow that through the spread.
  ({ type, key: `${type}:${causationId}:${at}`, data: { ...data, ...note, at } }) as PolicyWish;

/** Hands changes to the one stream of the policy. */
export const policyService = ({ build, handler, changed }: Deps): PolicyService => {
  const handle = async (command: BillingPolicyCommand, cause: Cause): Promise<PolicyChanges> => {
    const { state } = await handler.handle(BILLING_POLICY_ID, command, cause);
    changed(state);
    return state;
  };
  return {
    change: (asked, note, cause) => handle(wishOf(asked, note, cause), cause),
    publish: (cause) =>
      handle({ type: 'PublishFeeTiers', key: `tiers:${feeVersionOf(build.tiers)}`, data: { at: cause.at } }, cause),
    read: () => handler.state(BILLING_POLICY_ID),
  };
};

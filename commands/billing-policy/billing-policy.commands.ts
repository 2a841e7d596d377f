import type { FeeTier, PolicyPart, PurchaseLimits } from '../../src/events/billing-policy/billing-policy.events.ts';
import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { SignupOffer } from './billing-policy.state.ts';

/** A wish of an administrator. Key by the request. */
type Wish<T extends string, D> = Command<
  T,
  D &
    Readonly<{
      at: IsoTime;
      reason: string | null;
      /** Refused with precondition_failed when the policy is not at this revision; undefined: at whatever it is. */
      ifRevision: number | undefined;
    }>
>;

/** The build's tiers are to be in the log. Key by their version. */
export type PublishFeeTiers = Command<'PublishFeeTiers', Readonly<{ at: IsoTime }>>;

export type ChangeFeeTiers = Wish<'ChangeFeeTiers', Readonly<{ tiers: readonly FeeTier[] }>>;
/** What is not named stays as it is. */
export type ChangeLimits = Wish<'ChangeLimits', Readonly<{ limits: Partial<PurchaseLimits> }>>;
/** What is not named stays as it is. */
export type ChangePromo = Wish<'ChangePromo', Readonly<{ promo: Partial<SignupOffer> }>>;
/** Back to what the build and its configuration have. */
export type RevertPolicy = Wish<'RevertPolicy', Readonly<{ part: PolicyPart }>>;

export type PolicyWish = ChangeFeeTiers | ChangeLimits | ChangePromo | RevertPolicy;

export type BillingPolicyCommand = PublishFeeTiers | PolicyWish;

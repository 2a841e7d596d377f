import type { FeeTier, PolicyPart, PurchaseLimits } from '../../src/events/billing-policy/billing-policy.events.ts';
import { contentDigest } from '../../src/kernel/digest.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';

/** What new users are given, and for how many days. */
export type SignupOffer = Readonly<{ amount: MicroUsd; days: number }>;

/** What money costs and how much of it there is. */
export type BillingPolicy = Readonly<{
  /** Purchases name it; it follows from the tiers. */
  feeVersion: string;
  tiers: readonly FeeTier[];
  limits: PurchaseLimits;
  promo: SignupOffer;
}>;

/** A value in place of the build's, since when and why. */
export type Changed<T> = Readonly<{ value: T; at: IsoTime; reason: string | null }>;

/** Everything that was changed since the build. */
export type PolicyChanges = Readonly<{
  /** How many events there were: names this state, and only grows. */
  revision: number;
  /** Versions of builds' tiers that are in the log. */
  published: ReadonlySet<string>;
  feeTiers: Changed<readonly FeeTier[]> | null;
  limits: Changed<PurchaseLimits> | null;
  promo: Changed<SignupOffer> | null;
}>;

export const nothingChanged: PolicyChanges = {
  revision: 0,
  published: new Set(),
  feeTiers: null,
  limits: null,
  promo: null,
};

const VERSION_LENGTH = 12;

/** What a build and its configuration bring. */
export type BuiltPolicy = Omit<BillingPolicy, 'feeVersion'>;

/** The name of tiers: equal tiers have equal names, whoever set them. */
export const feeVersionOf = (tiers: readonly FeeTier[]): string => contentDigest(tiers).slice(0, VERSION_LENGTH);

/** The policy in force: the build's with the changes laid over it. */
export const policyOf = (build: BuiltPolicy, { feeTiers, limits, promo }: PolicyChanges): BillingPolicy => {
  const tiers = feeTiers?.value ?? build.tiers;
  return {
    feeVersion: feeVersionOf(tiers),
    tiers,
    limits: limits?.value ?? build.limits,
    promo: promo?.value ?? build.promo,
  };
};

/** The parts in the order in which they are told. */
export const POLICY_PARTS = ['feeTiers', 'limits', 'promo'] as const satisfies readonly PolicyPart[];

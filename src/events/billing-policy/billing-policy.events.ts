import type { Event, IsoTime } from '../../kernel/message.ts';
import type { MicroText } from '../../kernel/money.ts';

/** The fee on purchases from `minMinor` up to but without `maxMinor` (null: no end), in basis points. Cents. */
export type FeeTier = Readonly<{ minMinor: number; maxMinor: number | null; feeRateBps: number; label: string }>;

/** What may be bought at a time, and what is bought without its user within 24 hours. Cents. */
export type PurchaseLimits = Readonly<{ maxMinor: number; dailyTopOffMinor: number; dailyTopOffCount: number }>;

/** What new users are given, and for how many days. */
export type PromoPolicy = Readonly<{ amount: MicroText; days: number }>;

/** Who asked for a change is in the metadata; why, when they said so, here. */
type Change<D> = D & Readonly<{ at: IsoTime; reason: string | null }>;

/**
 * The fee tiers that a build brings, said once for each content. Together with the changes it lets the price of every
 * purchase be worked out again from the log alone: `version` follows from the tiers.
 */
export type FeeTiersPublished = Event<
  'FeeTiersPublished',
  Readonly<{ version: string; tiers: readonly FeeTier[]; at: IsoTime }>
>;

/** Purchases that are begun from now on cost this. */
export type FeeTiersChanged = Event<
  'FeeTiersChanged',
  Change<Readonly<{ version: string; tiers: readonly FeeTier[] }>>
>;

export type PurchaseLimitsChanged = Event<'PurchaseLimitsChanged', Change<PurchaseLimits>>;

/** Users who come from now on are given this. */
export type PromoPolicyChanged = Event<'PromoPolicyChanged', Change<PromoPolicy>>;

/** What can be different from the build. */
export type PolicyPart = 'feeTiers' | 'limits' | 'promo';

/** As the build and its configuration have it again. */
export type BillingPolicyReverted = Event<'BillingPolicyReverted', Change<Readonly<{ part: PolicyPart }>>>;

export type BillingPolicyEvent =
  FeeTiersPublished | FeeTiersChanged | PurchaseLimitsChanged | PromoPolicyChanged | BillingPolicyReverted;

/** There is one stream, `billingPolicy-global`. */
export const BILLING_POLICY = 'billingPolicy';
export const BILLING_POLICY_ID = 'global';

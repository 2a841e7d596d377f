import { z } from 'zod';
import {
  POLICY_PARTS,
  type BillingPolicy,
  type PolicyChanges,
} from '../../../../commands/billing-policy/billing-policy.state.ts';
import type { AskedPolicy } from '../../../../commands/billing-policy/policy-service.ts';
import type { PurchaseLimits } from '../../../events/billing-policy/billing-policy.events.ts';
import { usdText } from '../../../kernel/money.ts';
import { reasonQuery, revisionTag } from '../../admin-change.ts';
import { adminEndpoint, json, type Endpoint } from '../../endpoint.ts';
import { centsText, tierView } from '../billing/fee-tiers.ts';
import { usd } from '../billing/money-bodies.ts';
import { POLICY_PATH, type PolicyChanger } from './change-policy.ts';

const MICRO_PER_CENT = 10_000n;
const MICRO_PER_BASIS_POINT = 100n;
const MOST_TIERS = 50;
const MOST_A_DAY = 1000;

/** An amount of whole cents, as cents. */
const cents = usd.transform((micro, context) => {
  if (micro % MICRO_PER_CENT === 0n) return Number(micro / MICRO_PER_CENT);
  context.addIssue({ code: 'custom', message: 'must have at most two decimals' });
  return z.NEVER;
});

/** A rate such as "0.2", as basis points. */
const rate = usd.transform((micro, context) => {
  if (micro % MICRO_PER_BASIS_POINT === 0n) return Number(micro / MICRO_PER_BASIS_POINT);
  context.addIssue({ code: 'custom', message: 'must have at most four decimals' });
  return z.NEVER;
});

/** The tiers in the words in which the apps are told them. */
const tiersBody = z.strictObject({
  tiers: z
    .array(
      z
        .strictObject({ min: cents, max: cents.nullable(), feeRate: rate, label: z.string().trim().min(1).max(40) })
        .transform(({ min, max, feeRate, label }) => ({ minMinor: min, maxMinor: max, feeRateBps: feeRate, label })),
    )
    .min(1)
    .max(MOST_TIERS),
});

const limitsBody = z
  .strictObject({
    maxPurchase: cents.optional(),
    dailyTopOffAmount: cents.optional(),
    dailyTopOffCount: z.int().min(0).max(MOST_A_DAY).optional(),
  })
  .transform(({ maxPurchase, dailyTopOffAmount, dailyTopOffCount }) => ({
    ...(maxPurchase === undefined ? {} : { maxMinor: maxPurchase }),
    ...(dailyTopOffAmount === undefined ? {} : { dailyTopOffMinor: dailyTopOffAmount }),
    ...(dailyTopOffCount === undefined ? {} : { dailyTopOffCount }),
  }));

const limitsView = ({ maxMinor, dailyTopOffMinor, dailyTopOffCount }: PurchaseLimits) => ({
  maxPurchase: centsText(maxMinor),
  dailyTopOffAmount: centsText(dailyTopOffMinor),
  dailyTopOffCount,
});

const overridesOf = (changes: PolicyChanges) =>
  POLICY_PARTS.flatMap((part) => {
    const change = changes[part];
    return change === null ? [] : [{ part, at: change.at, reason: change.reason }];
  });

type Deps = Readonly<{
  view: () => Readonly<{ policy: BillingPolicy; changes: PolicyChanges }>;
  changePolicy: PolicyChanger;
}>;

const change = <B = undefined>(
  { changePolicy }: Pick<Deps, 'changePolicy'>,
  {
    method,
    part,
    body,
    ask,
  }: { method: 'PUT' | 'DELETE'; part: string; body?: z.ZodType<B>; ask: (body: B) => AskedPolicy },
): Endpoint =>
  adminEndpoint<B, z.output<typeof reasonQuery>>({
    ...{ method, path: `${POLICY_PATH}/${part}`, limit: 'write', query: reasonQuery },
    ...(body === undefined ? {} : { body }),
    handle: async (call) => {
      const { revision } = await changePolicy(ask(call.body), call, call.query.reason);
      return json(200, { revision }, revisionTag(revision));
    },
  });

/** What administrators see and change of what money costs. */
export const billingPolicyEndpoints = (deps: Deps): readonly Endpoint[] => [
  adminEndpoint({
    method: 'GET',
    path: POLICY_PATH,
    limit: 'read',
    handle: () => {
      const { policy, changes } = deps.view();
      const { feeVersion, tiers, limits, promo } = policy;
      const body = {
        revision: changes.revision,
        feeTiers: { version: feeVersion, tiers: tiers.map(tierView) },
        limits: limitsView(limits),
        freeCredits: { amount: usdText(promo.amount), days: promo.days },
        overrides: overridesOf(changes),
      };
      return Promise.resolve(json(200, body, revisionTag(changes.revision)));
    },
  }),
  change(deps, {
    method: 'PUT',
    part: 'fee-tiers',
    body: tiersBody,
    ask: ({ tiers }) => ({ type: 'ChangeFeeTiers', data: { tiers } }),
  }),
  change(deps, {
    method: 'PUT',
    part: 'limits',
    body: limitsBody,
    ask: (limits) => ({ type: 'ChangeLimits', data: { limits } }),
  }),
  change(deps, {
    method: 'DELETE',
    part: 'fee-tiers',
    ask: () => ({ type: 'RevertPolicy', data: { part: 'feeTiers' } }),
  }),
  change(deps, { method: 'DELETE', part: 'limits', ask: () => ({ type: 'RevertPolicy', data: { part: 'limits' } }) }),
  change(deps, {
    method: 'DELETE',
    part: 'free-credits',
    ask: () => ({ type: 'RevertPolicy', data: { part: 'promo' } }),
  }),
];

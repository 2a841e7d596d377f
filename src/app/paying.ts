import { randomUUID } from 'node:crypto';
import { tellingOfEndedTopOffs } from '../../commands/auto-top-off/telling-users.ts';
import { toppingOff } from '../../commands/auto-top-off/topping-off.ts';
import { customers } from '../../commands/billing-profile/customers.ts';
import type { Notifier } from '../../commands/notifications/notifier.ts';
import { noticeDesk } from '../../commands/payment-notices/notice-work.ts';
import { lookingAgain } from '../../commands/purchases/looking-again.ts';
import { followUpPurchases } from '../../commands/purchases/follow-up.ts';
import { purchasePolicyOf } from '../../commands/purchases/fee-tiers.ts';
import { purchasing } from '../../commands/purchases/purchasing.ts';
import { stripePayments } from '../../infra/stripe/stripe-payments.ts';
import type { StripeOptions } from '../../infra/stripe/stripe-client.ts';
import { stripeNotices } from '../../infra/stripe/webhook-signature.ts';
import { dueTopOffs } from '../../queries/billing/due-top-offs.query.ts';
import { dueNotices } from '../../queries/billing/payment-notices.query.ts';
import { untoldTopOffs } from '../../queries/billing/untold-top-offs.query.ts';
import { unfinishedPurchases } from '../../queries/billing/unfinished-purchases.query.ts';
import type { Config } from '../config.ts';
import { paymentsOff } from '../http/routes/billing/payments-off.ts';
import { paymentEndpoints } from '../http/routes/payments/index.ts';
import type { Endpoint } from '../http/endpoint.ts';
import { isoAfter, isoOf, type Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { PaymentProvider } from '../kernel/payments.ts';
import type { QueryRunner } from '../kernel/query.ts';
import type { SubjectVault } from '../kernel/vault.ts';
import type { Job } from './jobs.ts';
import type { LivePolicy } from './live-policy.ts';
import { localPaymentKeys } from './local-payments.ts';
import type { Parts } from './parts.ts';
import { patientWork } from './patient-work.ts';
import type { WriteSide } from './write-side.ts';

type Deps = Readonly<{
  config: Config;
  parts: Parts;
  publicUrl: string;
  write: WriteSide;
  prices: Pick<LivePolicy, 'current'>;
  queries: QueryRunner;
  vault: SubjectVault;
  notifier: Pick<Notifier, 'notify'>;
  mayRun: () => boolean;
  clock: Clock;
  logger: Logger;
}>;

const TOP_OFFS_EVERY_MS = 2_000;
const NOTICES_EVERY_MS = 5_000;
const PURCHASES_EVERY_MS = 600_000;
const MINUTE_MS = 60_000;
const LOOKED_AFTER_MS = 14 * 24 * 60 * MINUTE_MS;
const AT_ONCE = 100;
const LOOK_EVERY_MS = 5_000;
const TELL_EVERY_MS = 5_000;

type Account = Pick<StripeOptions, 'secretKey' | 'apiBase'> &
  Readonly<{ webhookSecret: string; publishableKey: string | undefined }>;

/** The account at Stripe, else the local pages; undefined when there is neither. */
const accountOf = (config: Config, parts: Parts): Account | undefined => {
  const { STRIPE_SECRET_KEY: secretKey, STRIPE_WEBHOOK_SECRET: webhookSecret, STRIPE_API_BASE: apiBase } = config;
  if (secretKey !== undefined && webhookSecret !== undefined) {
    const publishableKey = config.STRIPE_PUBLISHABLE_KEY;
    return { secretKey, webhookSecret, publishableKey, ...(apiBase === undefined ? {} : { apiBase }) };
  }
  return parts.paymentsUrl === undefined
    ? undefined
    : { ...localPaymentKeys(parts.secrets), apiBase: parts.paymentsUrl };
};

const returnTo = (config: Config, publicUrl: string) => {
  const base = (config.WEBSITE_BASE_URL ?? publicUrl).replace(/\/$/, '');
  const withSession = '?session_id={CHECKOUT_SESSION_ID}';
  return {
    paid: `${base}/billing/success${withSession}`,
    notPaid: `${base}/billing/cancel`,
    methodAdded: `${base}/billing/payment-method/success${withSession}`,
    methodNotAdded: `${base}/billing/payment-method/cancel`,
    portal: config.STRIPE_PORTAL_RETURN_URL ?? `${publicUrl.replace(/\/$/, '')}/billing/portal/return`,
  };
};

/** Paying, as far as this process does it: endpoints, and jobs that go on where others stopped. */
export type Paying = Readonly<{
  /** Undefined when nothing can be paid here. */
  provider: PaymentProvider | undefined;
  endpoints: readonly Endpoint[];
  jobs: readonly Job[];
  idle: () => Promise<void>;
}>;

/** Buying credit over Stripe or the local pages. */
export const paying = (deps: Deps): Paying => {
  const { config, parts, publicUrl, write, prices, queries, vault, notifier, mayRun, clock, logger } = deps;
  const account = accountOf(config, parts);
  if (account === undefined) {
    return { provider: undefined, endpoints: paymentsOff(), jobs: [], idle: () => Promise.resolve() };
  }
  const provider = stripePayments({ ...account, returnTo: returnTo(config, publicUrl), logger });
  const { profiles, purchases, credits, customerOwners: owners } = write;
  const linked = customers({ profiles, owners, provider, vault, clock });
  const policy = async () => purchasePolicyOf(await prices.current());
  const buying = purchasing({ purchases, credits, profiles, customers: linked, provider, vault, policy, clock });
  const desk = noticeDesk({
    notices: write.notices,
    purchasing: buying,
    customers: linked,
    provider,
    clock,
    logger,
  });
  const looking = lookingAgain({ clock, logger, everyMs: LOOK_EVERY_MS });
  const topOff = toppingOff({
    topOffs: write.topOffs,
    profiles,
    credits,
    purchasing: buying,
    caps: async () => {
      const { dailyTopOffCount: count, dailyTopOffMinor: amountMinor } = (await prices.current()).limits;
      return { count, amountMinor };
    },
    clock,
    logger,
  });
  const topOffs = patientWork({
    work: topOff,
    clock,
    logger,
    firstRestMs: TOP_OFFS_EVERY_MS,
    longestRestMs: MINUTE_MS,
  });
  const jobs: readonly Job[] = [
    {
      name: 'top-off',
      everyMs: TOP_OFFS_EVERY_MS,
      mayRun,
      run: async () => {
        for (const userId of await queries.asSystem(dueTopOffs(isoOf(clock()), AT_ONCE))) topOffs.look(userId);
        await topOffs.idle();
      },
    },
    {
      name: 'ended-top-offs',
      everyMs: TELL_EVERY_MS,
      mayRun,
      run: tellingOfEndedTopOffs({ untold: () => queries.asSystem(untoldTopOffs(AT_ONCE)), notifier, clock, logger }),
    },
    {
      name: 'payment-notices',
      everyMs: NOTICES_EVERY_MS,
      mayRun,
      run: async () => {
        for (const id of await queries.asSystem(dueNotices(isoOf(clock()), AT_ONCE))) await desk.work(id);
      },
    },
    {
      name: 'unfinished-purchases',
      everyMs: PURCHASES_EVERY_MS,
      mayRun,
      run: followUpPurchases({
        purchasing: buying,
        unfinished: (at) =>
          queries.asSystem(unfinishedPurchases(isoAfter(at, -LOOKED_AFTER_MS), isoAfter(at, -MINUTE_MS), AT_ONCE)),
        clock,
        logger,
      }),
    },
  ];
  const endpoints = paymentEndpoints({
    provider,
    customers: linked,
    profiles,
    purchasing: buying,
    desk,
    lookAgain: looking.look,
    readNotice: stripeNotices(account.webhookSecret),
    livemode: /^(?:sk|rk)_live_/.test(account.secretKey),
    publishableKey: account.publishableKey,
    queries,
    newId: randomUUID,
    clock,
    policy,
    topOffs: write.topOffs,
    topOffSet: topOffs.begin,
  });
  const idle = async (): Promise<void> => {
    await Promise.all([desk.idle(), topOffs.idle(), looking.idle()]);
  };
  return { provider, endpoints, jobs, idle };
};

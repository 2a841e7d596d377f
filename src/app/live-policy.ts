import {
  feeVersionOf,
  policyOf,
  type BillingPolicy,
  type BuiltPolicy,
  type PolicyChanges,
} from '../../commands/billing-policy/billing-policy.state.ts';
import { billingPolicyAggregate } from '../../commands/billing-policy/index.ts';
import { policyService, type PolicyService } from '../../commands/billing-policy/policy-service.ts';
import { usualFeeTiers, usualPurchaseLimits } from '../../commands/purchases/fee-tiers.ts';
import type { Config } from '../config.ts';
import { BILLING_POLICY } from '../events/billing-policy/billing-policy.events.ts';
import type { Clock } from '../kernel/clock.ts';
import { commandHandler } from '../kernel/command-handler.ts';
import { DomainError } from '../kernel/errors.ts';
import type { EventStore } from '../kernel/event-store.ts';
import type { Logger } from '../kernel/logger.ts';
import { microFromUsdText } from '../kernel/money.ts';
import { overlaid, type Overlaid } from './overlaid.ts';

type Deps = Readonly<{
  build: BuiltPolicy;
  store: EventStore;
  clock: Clock;
  pause: (milliseconds: number) => Promise<void>;
  logger: Logger;
}>;

/** The policy in force and what was changed since the build. */
export type PolicyView = Readonly<{ policy: BillingPolicy; changes: PolicyChanges }>;

/** What money costs here, in memory, kept fresh from the log. `view` throws until it was first read. */
export type LivePolicy = Readonly<{
  view: () => PolicyView;
  /** As it is in the log at this moment: what a purchase is decided by. */
  current: () => Promise<BillingPolicy>;
  service: PolicyService;
}> &
  Overlaid;

/** What the build and its configuration bring. */
export const builtPolicy = (config: Pick<Config, 'FREE_CREDITS_AMOUNT' | 'FREE_CREDITS_EXPIRY_DAYS'>): BuiltPolicy => ({
  tiers: usualFeeTiers,
  limits: usualPurchaseLimits,
  promo: { amount: microFromUsdText(config.FREE_CREDITS_AMOUNT) ?? 0n, days: config.FREE_CREDITS_EXPIRY_DAYS },
});

/** Lays the changes over the build's policy; `start` loads them and follows the log. */
export const livePolicy = ({ build, store, clock, pause, logger }: Deps): LivePolicy => {
  let known: PolicyView | undefined;

  /** Answers may overtake each other; what is in force never goes back. */
  const adopt = (changes: PolicyChanges): void => {
    if (known !== undefined && known.changes.revision >= changes.revision) return;
    known = { policy: policyOf(build, changes), changes };
  };

  const handler = commandHandler(billingPolicyAggregate(build), { store, logger, pause });
  const service = policyService({ build, handler, changed: adopt });

  return {
    view: () => {
      if (known !== undefined) return known;
      throw new DomainError('service_unavailable', 'the prices are still being read; try again', {
        retryAfterSeconds: 1,
      });
    },
    current: async () => policyOf(build, await service.read()),
    service,
    ...overlaid({
      what: 'the billing policy',
      category: BILLING_POLICY,
      book: `fee tiers ${feeVersionOf(build.tiers)}`,
      publish: service.publish,
      read: service.read,
      adopt,
      known: () => known?.changes.revision,
      ...{ store, clock, pause, logger },
    }),
  };
};

import { isDeepStrictEqual } from 'node:util';
import type { BillingPolicyEvent, PolicyPart } from '../../src/events/billing-policy/billing-policy.events.ts';
import { fold, type Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { microOf, microText } from '../../src/kernel/money.ts';
import { never } from '../../src/kernel/never.ts';
import type { BillingPolicyCommand, PolicyWish } from './billing-policy.commands.ts';
import {
  feeVersionOf,
  nothingChanged,
  policyOf,
  type BillingPolicy,
  type BuiltPolicy,
  type PolicyChanges,
} from './billing-policy.state.ts';
import { policyFaults } from './policy-faults.ts';

const without = (state: PolicyChanges, part: PolicyPart): PolicyChanges => ({ ...state, [part]: null });

const changed = (state: PolicyChanges, event: BillingPolicyEvent): PolicyChanges => {
  switch (event.type) {
    case 'FeeTiersPublished':
      return { ...state, published: new Set([...state.published, event.data.version]) };
    case 'FeeTiersChanged': {
      const { tiers, at, reason } = event.data;
      return { ...state, feeTiers: { value: tiers, at, reason } };
    }
    case 'PurchaseLimitsChanged': {
      const { maxMinor, dailyTopOffMinor, dailyTopOffCount, at, reason } = event.data;
      return { ...state, limits: { value: { maxMinor, dailyTopOffMinor, dailyTopOffCount }, at, reason } };
    }
    case 'PromoPolicyChanged': {
      const { amount, days, at, reason } = event.data;
      return { ...state, promo: { value: { amount: microOf(amount), days }, at, reason } };
    }
    case 'BillingPolicyReverted':
      return without(state, event.data.part);
    default:
      return never(event);
  }
};

const evolve = (state: PolicyChanges, event: BillingPolicyEvent): PolicyChanges => ({
  ...changed(state, event),
  revision: state.revision + 1,
});

const wished = (command: PolicyWish, state: PolicyChanges, now: BillingPolicy): readonly BillingPolicyEvent[] => {
  const { at, reason } = command.data;
  switch (command.type) {
    case 'ChangeFeeTiers': {
      const { tiers } = command.data;
      if (isDeepStrictEqual(tiers, now.tiers)) return [];
      return [{ type: 'FeeTiersChanged', data: { version: feeVersionOf(tiers), tiers, at, reason } }];
    }
    case 'ChangeLimits': {
      const limits = { ...now.limits, ...command.data.limits };
      if (isDeepStrictEqual(limits, now.limits)) return [];
      return [{ type: 'PurchaseLimitsChanged', data: { ...limits, at, reason } }];
    }
    case 'ChangePromo': {
      const { amount, days } = { ...now.promo, ...command.data.promo };
      if (amount === now.promo.amount && days === now.promo.days) return [];
      return [{ type: 'PromoPolicyChanged', data: { amount: microText(amount), days, at, reason } }];
    }
    case 'RevertPolicy': {
      const { part } = command.data;
      return state[part] === null ? [] : [{ type: 'BillingPolicyReverted', data: { part, at, reason } }];
    }
    default:
      return never(command);
  }
};

const checkRevision = ({ revision }: PolicyChanges, { ifRevision }: PolicyWish['data']): void => {
  if (ifRevision === undefined || ifRevision === revision) return;
  throw new DomainError('precondition_failed', 'somebody else changed the policy meanwhile; read it and try again', {
    details: { revision },
  });
};

/** Decides changes to what money costs here. One after which nothing could be bought is refused. */
export const billingPolicyDecider = (
  build: BuiltPolicy,
): Decider<PolicyChanges, BillingPolicyCommand, BillingPolicyEvent> => ({
  initial: nothingChanged,
  evolve,
  decide: (command, state) => {
    if (command.type === 'PublishFeeTiers') {
      const version = feeVersionOf(build.tiers);
      if (state.published.has(version)) return [];
      return [{ type: 'FeeTiersPublished', data: { version, tiers: build.tiers, at: command.data.at } }];
    }
    checkRevision(state, command.data);
    const events = wished(command, state, policyOf(build, state));
    const faults = policyFaults(policyOf(build, fold({ evolve }, state, events)));
    if (faults.length === 0 || events.length === 0) return events;
    throw new DomainError('validation_error', `nobody could buy by this: ${faults.join('; ')}`, {
      details: { faults },
    });
  },
});

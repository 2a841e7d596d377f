import type { PurchaseEvent } from '../../src/events/purchase/purchase.events.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { microText } from '../../src/kernel/money.ts';
import { never } from '../../src/kernel/never.ts';
import { priced } from './fee-tiers.ts';
import { learn, microOfCents } from './learning.ts';
import type {
  FulfilPurchase,
  InitiatePurchase,
  LeaveUncredited,
  NoteCheckout,
  PurchaseCommand,
} from './purchases.commands.ts';
import { evolvePurchase } from './purchases.evolve.ts';
import type { BegunPurchase, Purchase } from './purchases.state.ts';

const initiate = ({ data }: InitiatePurchase, state: Purchase): readonly PurchaseEvent[] => {
  const { purchaseId, userId, kind, grossMinor, policy, triggerId, consent, at } = data;
  if (state.status !== 'none') {
    if (state.userId === userId && state.grossMinor === grossMinor && state.kind === kind) return [];
    throw new DomainError('already_exists', 'this purchase was begun with another amount; use a new key');
  }
  const { feeMinor, creditMinor, tier } = priced(policy, grossMinor);
  const said = { purchaseId, userId, at };
  const { label: tierLabel, feeRateBps } = tier;
  const amounts = { grossMinor, feeMinor, creditMinor, currency: 'usd' as const, tierLabel, feeRateBps };
  const policyVersion = policy.version;
  return [
    { type: 'PurchaseInitiated', data: { ...said, kind, ...amounts, policyVersion, triggerId } },
    ...(consent === null ? [] : [{ type: 'WithdrawalConsentRecorded' as const, data: { ...said, ...consent } }]),
  ];
};

const mustHaveBegun = (state: Purchase): BegunPurchase => {
  if (state.status !== 'none') return state;
  throw new DomainError('not_found', 'there is no such purchase');
};

const noteCheckout = ({ data }: NoteCheckout, state: BegunPurchase): readonly PurchaseEvent[] => {
  const { sessionId, expiresAt, at } = data;
  if (state.sessionId === sessionId) return [];
  const { purchaseId, userId } = state;
  return [{ type: 'CheckoutSessionOpened', data: { purchaseId, userId, sessionId, expiresAt, at } }];
};

const fulfil = ({ data: { at } }: FulfilPurchase, state: BegunPurchase): readonly PurchaseEvent[] => {
  const { purchaseId, userId, creditMinor, status } = state;
  if (status === 'fulfilled') return [];
  if (status !== 'paid') throw new DomainError('billing_conflict', 'only what is paid can be credited');
  const credit = microText(microOfCents(creditMinor));
  return [{ type: 'PurchaseFulfilled', data: { purchaseId, userId, credit, at } }];
};

const leaveUncredited = ({ data: { at } }: LeaveUncredited, state: BegunPurchase): readonly PurchaseEvent[] => {
  const { purchaseId, userId, status, paidMinor: seenMinor } = state;
  if (status !== 'paid') return [];
  const seen = { expectedMinor: 0, seenMinor, seenCurrency: 'usd' };
  return [{ type: 'PurchaseMismatchDetected', data: { purchaseId, userId, what: 'account', ...seen, at } }];
};

const decide = (command: PurchaseCommand, state: Purchase): readonly PurchaseEvent[] => {
  switch (command.type) {
    case 'InitiatePurchase':
      return initiate(command, state);
    case 'NoteCheckout':
      return noteCheckout(command, mustHaveBegun(state));
    case 'LearnPayment':
      return learn(command, mustHaveBegun(state));
    case 'FulfilPurchase':
      return fulfil(command, mustHaveBegun(state));
    case 'LeaveUncredited':
      return leaveUncredited(command, mustHaveBegun(state));
    case 'AbandonPurchase': {
      const { purchaseId, userId, status, sessionId, invoice } = mustHaveBegun(state);
      if (status !== 'open' || sessionId !== null || invoice !== null) return [];
      return [{ type: 'PurchaseClosedUnpaid', data: { purchaseId, userId, reason: 'expired', at: command.data.at } }];
    }
    default:
      return never(command);
  }
};

/** Decides one purchase: what it costs, and what follows from what the payment provider knows of it. */
export const purchaseDecider: Decider<Purchase, PurchaseCommand, PurchaseEvent> = {
  initial: { status: 'none' },
  evolve: evolvePurchase,
  decide,
};

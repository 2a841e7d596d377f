import type {
  CreditsAdjusted,
  CreditsClawedBack,
  FundingEvent,
} from '../../src/events/credit-account/credit-account.events.ts';
import { microOf, type MicroUsd } from '../../src/kernel/money.ts';
import { never } from '../../src/kernel/never.ts';
import { giveBack, take, total } from './credits.moves.ts';
import { rearmed, reachedWith } from './credits.told.ts';
import type { Adjustment, Lot, OpenAccountState, Owed } from './credits.state.ts';

const lessOwed = (owed: readonly Owed[], shortfallId: string, amount: MicroUsd): readonly Owed[] =>
  owed
    .map((debt) => (debt.shortfallId === shortfallId ? { ...debt, m: debt.m - amount } : debt))
    .filter(({ m }) => m > 0n);

/** The lots, with `amount` more taken back from a purchase; its lot itself is changed by what was taken or given. */
const clawed = (lots: readonly Lot[], purchaseId: string, amount: MicroUsd): readonly Lot[] =>
  lots.map((lot) =>
    lot.purchase?.purchaseId === purchaseId
      ? { ...lot, purchase: { ...lot.purchase, clawed: lot.purchase.clawed + amount } }
      : lot,
  );

const clawedBack = (state: OpenAccountState, data: CreditsClawedBack['data']): OpenAccountState => {
  const { clawbackId, purchaseId, cause, taken, shortfall } = data;
  const m = total(taken) + microOf(shortfall);
  const lotId = state.lots.find(({ purchase }) => purchase?.purchaseId === purchaseId)?.lotId ?? '';
  return {
    ...state,
    lots: clawed(take(state.lots, taken), purchaseId, m),
    clawbacks: [...state.clawbacks, { clawbackId, purchaseId, lotId, cause, m, reversed: false }],
  };
};

/** What makes two wishes for an adjustment the same wish. */
export const contentOf = (
  wish: Pick<CreditsAdjusted['data'], 'amount' | 'bucket' | 'reasonCode' | 'noteDigest' | 'requestedBy' | 'expiresAt'>,
): string =>
  [wish.amount, wish.bucket, wish.reasonCode, wish.noteDigest, wish.requestedBy, wish.expiresAt ?? ''].join('|');

const remembered = (all: readonly Adjustment[], one: Adjustment): readonly Adjustment[] => [
  ...all.filter(({ adjustmentId }) => adjustmentId !== one.adjustmentId),
  one,
];

const adjusted = (state: OpenAccountState, data: CreditsAdjusted['data']): OpenAccountState => {
  const { adjustmentId, bucket, lotId, taken, expiresAt, approvedBy, at } = data;
  const amount = microOf(data.amount);
  const given: Lot[] =
    lotId === null ? [] : [{ lotId, kind: bucket, remaining: amount, since: at, expiresAt, purchase: null }];
  const alone = approvedBy === undefined ? amount : 0n;
  const m = alone < 0n ? -alone : alone;
  return rearmed(
    {
      ...state,
      lots: [...take(state.lots, taken), ...given],
      adjustments: remembered(state.adjustments, { adjustmentId, content: contentOf(data), at, m, waiting: null }),
    },
    at,
  );
};

const evolveOwed = (state: OpenAccountState, shortfallId: string, amount: string): readonly Owed[] =>
  lessOwed(state.owed, shortfallId, microOf(amount));

/** The account after money came in or was taken out of it, or after something was said about it. */
export const evolveFunding = (state: OpenAccountState, event: FundingEvent): OpenAccountState => {
  switch (event.type) {
    case 'CreditsPurchased': {
      const { purchaseId, lotId, at } = event.data;
      const credit = microOf(event.data.credit);
      const purchase = { purchaseId, credit, clawed: 0n };
      const lot: Lot = { lotId, kind: 'paid', remaining: credit, since: at, expiresAt: undefined, purchase };
      return rearmed({ ...state, lots: [...state.lots, lot] }, at);
    }
    case 'CreditsClawedBack':
      return clawedBack(state, event.data);
    case 'ClawbackReversed': {
      const { clawbackId, purchaseId, lotId, at } = event.data;
      const amount = microOf(event.data.amount);
      const lots = clawed(giveBack(state.lots, [{ lotId, m: event.data.amount }]), purchaseId, -amount);
      const clawbacks = state.clawbacks.map((one) =>
        one.clawbackId === clawbackId ? { ...one, reversed: true } : one,
      );
      return rearmed({ ...state, lots, clawbacks }, at);
    }
    case 'ShortfallSettled': {
      const { shortfallId, amount, alloc } = event.data;
      return { ...state, lots: take(state.lots, alloc), owed: evolveOwed(state, shortfallId, amount) };
    }
    case 'ShortfallWrittenOff':
      return { ...state, owed: evolveOwed(state, event.data.shortfallId, event.data.amount) };
    case 'AdjustmentRequested': {
      const { after: _after, bookedIn: _bookedIn, at, ...waiting } = event.data;
      const { adjustmentId } = waiting;
      const one = { adjustmentId, content: contentOf(waiting), at, m: 0n, waiting };
      return { ...state, adjustments: remembered(state.adjustments, one) };
    }
    case 'AdjustmentRejected': {
      const adjustments = state.adjustments.map((one) =>
        one.adjustmentId === event.data.adjustmentId ? { ...one, waiting: null } : one,
      );
      return { ...state, adjustments };
    }
    case 'CreditsAdjusted':
      return adjusted(state, event.data);
    case 'SpendingBlocked': {
      const { reason, ref } = event.data;
      return { ...state, blocks: [...state.blocks, { reason, ref, lifted: false }] };
    }
    case 'SpendingUnblocked': {
      const { reason, ref } = event.data;
      const blocks = state.blocks.map((block) =>
        block.reason === reason && block.ref === ref ? { ...block, lifted: true } : block,
      );
      return { ...state, blocks };
    }
    case 'SpendingLimitsSet': {
      const { setBy, limits, at } = event.data;
      return rearmed({ ...state, limits: { ...state.limits, [setBy]: limits } }, at);
    }
    case 'SpendingLimitReached':
      return { ...state, told: reachedWith(state.told, event.data) };
    case 'LowBalanceNoticed':
      return { ...state, told: { ...state.told, low: true } };
    case 'SpendingAnomalyNoticed':
      return { ...state, told: { ...state.told, unusual: event.data.day } };
    case 'BooksClosed':
      return state;
    case 'CreditAccountClosed': {
      const { forfeitedPromo, waivedPaid } = event.data;
      return { ...state, closed: true, lots: take(state.lots, [...forfeitedPromo, ...waivedPaid]) };
    }
    default:
      return never(event);
  }
};

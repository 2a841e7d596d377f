import type {
  CreditsAdjusted,
  CreditsClawedBack,
  FundingEvent,
} from '../../src/events/credit-account/credit-account.events.ts';
import { microOf, type MicroUsd } from '../../src/kernel/money.ts';
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

type Evolving = {
  readonly [T in FundingEvent['type']]: (
    state: OpenAccountState,
    data: Extract<FundingEvent, { type: T }>['data'],
  ) => OpenAccountState;
};

const evolving: Evolving = {
  CreditsPurchased: (state, { purchaseId, lotId, credit: text, at }) => {
    const credit = microOf(text);
    const purchase = { purchaseId, credit, clawed: 0n };
    const lot: Lot = { lotId, kind: 'paid', remaining: credit, since: at, expiresAt: undefined, purchase };
    return rearmed({ ...state, lots: [...state.lots, lot] }, at);
  },
  CreditsClawedBack: clawedBack,
  ClawbackReversed: (state, { clawbackId, purchaseId, lotId, amount: m, at }) => {
    const lots = clawed(giveBack(state.lots, [{ lotId, m }]), purchaseId, -microOf(m));
    const clawbacks = state.clawbacks.map((one) => (one.clawbackId === clawbackId ? { ...one, reversed: true } : one));
    return rearmed({ ...state, lots, clawbacks }, at);
  },
  ShortfallSettled: (state, { shortfallId, amount, alloc }) => ({
    ...state,
    lots: take(state.lots, alloc),
    owed: lessOwed(state.owed, shortfallId, microOf(amount)),
  }),
  ShortfallWrittenOff: (state, { shortfallId, amount, at }) =>
    rearmed({ ...state, owed: lessOwed(state.owed, shortfallId, microOf(amount)) }, at),
  AdjustmentRequested: (state, { after: _after, bookedIn: _bookedIn, at, ...waiting }) => {
    const one = { adjustmentId: waiting.adjustmentId, content: contentOf(waiting), at, m: 0n, waiting };
    return { ...state, adjustments: remembered(state.adjustments, one) };
  },
  AdjustmentRejected: (state, { adjustmentId }) => ({
    ...state,
    adjustments: state.adjustments.map((one) => (one.adjustmentId === adjustmentId ? { ...one, waiting: null } : one)),
  }),
  CreditsAdjusted: adjusted,
  SpendingBlocked: (state, { reason, ref }) => ({
    ...state,
    blocks: [...state.blocks, { reason, ref, lifted: false }],
  }),
  SpendingUnblocked: (state, { reason, ref }) => ({
    ...state,
    blocks: state.blocks.map((block) =>
      block.reason === reason && block.ref === ref ? { ...block, lifted: true } : block,
    ),
  }),
  SpendingLimitsSet: (state, { setBy, limits, at }) =>
    rearmed({ ...state, limits: { ...state.limits, [setBy]: limits } }, at),
  SpendingLimitReached: (state, data) => ({ ...state, told: reachedWith(state.told, data) }),
  LowBalanceNoticed: (state) => ({ ...state, told: { ...state.told, low: true } }),
  SpendingAnomalyNoticed: (state, { day }) => ({ ...state, told: { ...state.told, unusual: day } }),
  BooksClosed: (state) => state,
  CreditAccountClosed: (state, { forfeitedPromo, waivedPaid }) => ({
    ...state,
    closed: true,
    lots: take(state.lots, [...forfeitedPromo, ...waivedPaid]),
  }),
};

/** The account after money came in or was taken out of it, or after something was said about it. */
export const evolveFunding = (state: OpenAccountState, { type, data }: FundingEvent): OpenAccountState =>
  (evolving[type] as (state: OpenAccountState, data: FundingEvent['data']) => OpenAccountState)(state, data);

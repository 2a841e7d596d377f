import type {
  CreditsAdjusted,
  CreditsClawedBack,
  FundingEvent,
  ShortfallWrittenOff,
} from '../../src/events/credit-account/credit-account.events.ts';
import { microOf, type MicroUsd } from '../../src/kernel/money.ts';
import { withWish, limitsWish, writeOffWish } from './credits.wishes.ts';
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
  const amounts = { requested: microOf(data.requested), m, forgiven: 0n };
  const lotId = state.lots.find(({ purchase }) => purchase?.purchaseId === purchaseId)?.lotId ?? '';
  return {
    ...state,
    lots: clawed(take(state.lots, taken), purchaseId, m),
    clawbacks: [...state.clawbacks, { clawbackId, purchaseId, lotId, cause, ...amounts, reversed: false }],
  };
};

/** What makes two wishes for an adjustment the same wish: also for how long credit is given, but not until when. */
export const contentOf = ({
  amount,
  bucket,
  reasonCode,
  noteDigest,
  requestedBy,
  expiresAt,
  at,
}: Pick<
  CreditsAdjusted['data'],
  'amount' | 'bucket' | 'reasonCode' | 'noteDigest' | 'requestedBy' | 'expiresAt' | 'at'
>): string => {
  const lasts = expiresAt === undefined ? '' : Date.parse(expiresAt) - Date.parse(at);
  return [amount, bucket, reasonCode, noteDigest, requestedBy, lasts].join('|');
};

const remembered = (all: readonly Adjustment[], one: Adjustment): readonly Adjustment[] => [
  ...all.filter(({ adjustmentId }) => adjustmentId !== one.adjustmentId),
  one,
];

const adjusted = (state: OpenAccountState, data: CreditsAdjusted['data']): OpenAccountState => {
  const { adjustmentId, bucket, lotId, taken, expiresAt, approvedBy, at } = data;
  const amount = microOf(data.amount);
  const given: Lot[] =
    lotId === null
      ? []
      : [{ lotId, kind: bucket, given: amount, remaining: amount, since: at, expiresAt, purchase: null }];
  const asked = state.adjustments.find((one) => one.adjustmentId === adjustmentId);
  const content = asked?.content ?? contentOf(data);
  const alone = approvedBy === undefined ? amount : 0n;
  const m = alone < 0n ? -alone : alone;
  return rearmed(
    {
      ...state,
      lots: [...take(state.lots, taken), ...given],
      adjustments: remembered(state.adjustments, { adjustmentId, content, at, m, waiting: null, rejected: false }),
    },
    at,
  );
};

/** A debt that is given up; of one that a clawback left, the clawback remembers it. */
const writtenOff = (state: OpenAccountState, data: ShortfallWrittenOff['data']): OpenAccountState => {
  const { shortfallId, amount, wishId, at } = data;
  const m = microOf(amount);
  const ref = state.owed.find((debt) => debt.shortfallId === shortfallId && debt.cause !== 'overrun')?.ref;
  return rearmed(
    {
      ...state,
      owed: lessOwed(state.owed, shortfallId, m),
      clawbacks: state.clawbacks.map((one) => (one.clawbackId === ref ? { ...one, forgiven: one.forgiven + m } : one)),
      wishes: withWish(state.wishes, wishId, writeOffWish(data)),
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
    const lot: Lot = {
      lotId,
      kind: 'paid',
      given: credit,
      remaining: credit,
      since: at,
      expiresAt: undefined,
      purchase,
    };
    return rearmed({ ...state, lots: [...state.lots, lot] }, at);
  },
  CreditsClawedBack: clawedBack,
  ClawbackReversed: (state, { clawbackId, purchaseId, lotId, amount, at }) => {
    const back = state.clawbacks.find((one) => one.clawbackId === clawbackId)?.m ?? 0n;
    const lots = clawed(giveBack(state.lots, [{ lotId, m: amount }]), purchaseId, -back);
    const clawbacks = state.clawbacks.map((one) => (one.clawbackId === clawbackId ? { ...one, reversed: true } : one));
    return rearmed({ ...state, lots, clawbacks }, at);
  },
  ShortfallSettled: (state, { shortfallId, amount, alloc }) => ({
    ...state,
    lots: take(state.lots, alloc),
    owed: lessOwed(state.owed, shortfallId, microOf(amount)),
  }),
  ShortfallWrittenOff: writtenOff,
  AdjustmentRequested: (state, { after: _after, bookedIn: _bookedIn, at, ...waiting }) => {
    const one = {
      adjustmentId: waiting.adjustmentId,
      content: contentOf({ ...waiting, at }),
      at,
      m: 0n,
      waiting,
      rejected: false,
    };
    return { ...state, adjustments: remembered(state.adjustments, one) };
  },
  AdjustmentRejected: (state, { adjustmentId }) => ({
    ...state,
    adjustments: state.adjustments.map((one) =>
      one.adjustmentId === adjustmentId ? { ...one, waiting: null, rejected: true } : one,
    ),
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
  SpendingLimitsSet: (state, data) => {
    const limits = { ...state.limits, [data.setBy]: data.limits };
    return rearmed({ ...state, limits, wishes: withWish(state.wishes, data.wishId, limitsWish(data)) }, data.at);
  },
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

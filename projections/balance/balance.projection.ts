import type { Allocation, CreditAccountEvent, Totals } from '../../src/events/credit-account/credit-account.events.ts';
import { creditAccountUpcasters } from '../../src/events/credit-account/credit-account.upcasters.ts';
import { microOf, type MicroUsd } from '../../src/kernel/money.ts';
import { defineProjection, type Projected, type RowOp } from '../../src/kernel/projection.ts';
import type { Row } from '../../src/kernel/table.ts';
import { accountOwner, creditAccountStreams } from './account-owner.ts';
import { creditBalanceTable, creditLotTable, openHoldTable } from './balance.table.ts';

type OnAccount = Pick<Projected<CreditAccountEvent>, 'stream' | 'revision'> &
  Readonly<{ data: Readonly<{ at: string; after: Totals; bookedIn?: string }> }>;

/** Where money goes inside a lot: the sign of the change to each of its columns. */
type Move = Readonly<
  Partial<Record<`${'remaining' | 'held' | 'spent' | 'expired' | 'taken' | 'added'}_micro`, 1n | -1n>>
>;

const HOLD: Move = { remaining_micro: -1n, held_micro: 1n };
const GIVE_BACK: Move = { held_micro: -1n, remaining_micro: 1n };
const SPEND_HELD: Move = { held_micro: -1n, spent_micro: 1n };
const SPEND: Move = { remaining_micro: -1n, spent_micro: 1n };
const EXPIRE: Move = { remaining_micro: -1n, expired_micro: 1n };
const TAKE: Move = { remaining_micro: -1n, taken_micro: 1n };
const ADD: Move = { remaining_micro: 1n, added_micro: 1n };

const balance = ({ stream, revision, data }: OnAccount, set: Row = {}): RowOp => ({
  op: 'set',
  table: creditBalanceTable,
  key: { user_id: accountOwner(stream) },
  set: {
    paid_micro: microOf(data.after.paid),
    promo_micro: microOf(data.after.promo),
    held_micro: microOf(data.after.held),
    shortfall_micro: microOf(data.after.shortfall),
    updated_at: data.at,
    book_month: data.bookedIn ?? data.at.slice(0, 7),
    revision,
    ...set,
  },
});

const lots = ({ stream }: OnAccount, alloc: readonly Allocation[], move: Move): readonly RowOp[] =>
  alloc.map(({ lotId, m }) => ({
    op: 'add',
    table: creditLotTable,
    key: { user_id: accountOwner(stream), lot_id: lotId },
    add: Object.fromEntries(Object.entries(move).map(([column, sign]) => [column, sign * microOf(m)])),
  }));

type NewLot = Readonly<{
  lotId: string;
  kind: 'paid' | 'promo';
  amount: MicroUsd;
  expiresAt?: string | undefined;
  purchaseId?: string;
}>;

const newLot = ({ stream, data }: OnAccount, { lotId, kind, amount, expiresAt, purchaseId }: NewLot): RowOp => ({
  op: 'set',
  table: creditLotTable,
  key: { user_id: accountOwner(stream), lot_id: lotId },
  set: {
    kind,
    granted_micro: amount,
    remaining_micro: amount,
    granted_at: data.at,
    expires_at: expiresAt ?? null,
    purchase_id: purchaseId ?? null,
  },
});

const blocks = (event: OnAccount, change: 1n | -1n): readonly RowOp[] => [
  balance(event),
  { op: 'add', table: creditBalanceTable, key: { user_id: accountOwner(event.stream) }, add: { blocks: change } },
];

const justBalance = (event: OnAccount): readonly RowOp[] => [balance(event)];

const holdKey = ({ stream }: OnAccount, reservationId: string): Row => ({
  user_id: accountOwner(stream),
  reservation_id: reservationId,
});

const noHold = (event: OnAccount, reservationId: string): RowOp => ({
  op: 'remove',
  table: openHoldTable,
  key: holdKey(event, reservationId),
});

const givenBack = (
  event: OnAccount & Readonly<{ data: Readonly<{ reservationId: string; released: readonly Allocation[] }> }>,
): readonly RowOp[] => [
  balance(event),
  ...lots(event, event.data.released, GIVE_BACK),
  noHold(event, event.data.reservationId),
];

/** What each user has, lot by lot, and what is on hold. */
export const balanceProjection = defineProjection<CreditAccountEvent>({
  name: 'balance',
  version: 3,
  tables: [creditBalanceTable, creditLotTable, openHoldTable],
  streamPrefixes: creditAccountStreams,
  upcasters: creditAccountUpcasters,
  on: {
    CreditAccountOpened: (event) => [balance(event, { created_at: event.data.at })],
    PromoCreditsGranted: (event) => {
      const { lotId, amount, expiresAt, reason, at } = event.data;
      const granted = microOf(amount);
      const signup = { signup_grant_micro: granted, signup_granted_at: at, signup_expires_at: expiresAt };
      return [
        balance(event, reason === 'signup' ? signup : {}),
        newLot(event, { lotId, kind: 'promo', amount: granted, expiresAt }),
      ];
    },
    PromoCreditsExpired: (event) => {
      const { lotId, amount } = event.data;
      return [balance(event), ...lots(event, [{ lotId, m: amount }], EXPIRE)];
    },
    FundsReserved: (event) => {
      const { reservationId, work, held, alloc, leaseUntil, at } = event.data;
      return [
        balance(event),
        ...lots(event, alloc, HOLD),
        {
          op: 'set',
          table: openHoldTable,
          key: holdKey(event, reservationId),
          set: {
            kind: work.kind,
            task_type: work.taskType,
            model_id: work.modelId,
            held_micro: microOf(held),
            held_since: at,
            lease_until: leaseUntil,
          },
        },
      ];
    },
    ReservationExtended: (event) => {
      const { reservationId, added, alloc, leaseUntil } = event.data;
      const key = holdKey(event, reservationId);
      return [
        balance(event),
        ...lots(event, alloc, HOLD),
        { op: 'add', table: openHoldTable, key, add: { held_micro: microOf(added) } },
        { op: 'set', table: openHoldTable, key, set: { lease_until: leaseUntil } },
      ];
    },
    ReservationCaptured: (event) => {
      const { captured, overrun } = event.data;
      return [...givenBack(event), ...lots(event, captured, SPEND_HELD), ...lots(event, overrun, SPEND)];
    },
    ReservationReleased: givenBack,
    ReservationLeaseExpired: givenBack,
    ShortfallRecorded: justBalance,
    ShortfallWrittenOff: justBalance,
    AdjustmentRequested: justBalance,
    AdjustmentRejected: justBalance,
    SpendingLimitsSet: justBalance,
    SpendingLimitReached: justBalance,
    LowBalanceNoticed: justBalance,
    SpendingAnomalyNoticed: justBalance,
    CreditsPurchased: (event) => {
      const { lotId, purchaseId, credit } = event.data;
      return [balance(event), newLot(event, { lotId, kind: 'paid', amount: microOf(credit), purchaseId })];
    },
    CreditsClawedBack: (event) => [balance(event), ...lots(event, event.data.taken, TAKE)],
    ClawbackReversed: (event) => {
      const { lotId, amount } = event.data;
      return [balance(event), ...lots(event, [{ lotId, m: amount }], ADD)];
    },
    ShortfallSettled: (event) => [balance(event), ...lots(event, event.data.alloc, TAKE)],
    CreditsAdjusted: (event) => {
      const { lotId, bucket, amount, expiresAt, taken } = event.data;
      const given = lotId === null ? [] : [newLot(event, { lotId, kind: bucket, amount: microOf(amount), expiresAt })];
      return [balance(event), ...given, ...lots(event, taken, TAKE)];
    },
    SpendingBlocked: (event) => blocks(event, 1n),
    SpendingUnblocked: (event) => blocks(event, -1n),
    BooksClosed: (event) => [balance(event, { book_month: null })],
    CreditAccountClosed: (event) => {
      const { forfeitedPromo, waivedPaid, at } = event.data;
      return [balance(event, { closed_at: at }), ...lots(event, [...forfeitedPromo, ...waivedPaid], TAKE)];
    },
  },
});

import type { Allocation, CreditAccountEvent, Totals } from '../../src/events/credit-account/credit-account.events.ts';
import { creditAccountUpcasters } from '../../src/events/credit-account/credit-account.upcasters.ts';
import { microOf } from '../../src/kernel/money.ts';
import { defineProjection, type Projected, type RowOp } from '../../src/kernel/projection.ts';
import type { Row } from '../../src/kernel/table.ts';
import { accountOwner, creditAccountStreams } from './account-owner.ts';
import { creditBalanceTable, creditLotTable, openHoldTable } from './balance.table.ts';

type OnAccount = Pick<Projected<CreditAccountEvent>, 'stream' | 'revision'> &
  Readonly<{ data: Readonly<{ at: string; after: Totals }> }>;

/** Where money goes inside a lot: the sign of the change to each of its columns. */
type Move = Readonly<Partial<Record<'remaining_micro' | 'held_micro' | 'spent_micro' | 'expired_micro', 1n | -1n>>>;

const HOLD: Move = { remaining_micro: -1n, held_micro: 1n };
const GIVE_BACK: Move = { held_micro: -1n, remaining_micro: 1n };
const SPEND_HELD: Move = { held_micro: -1n, spent_micro: 1n };
const SPEND: Move = { remaining_micro: -1n, spent_micro: 1n };
const EXPIRE: Move = { remaining_micro: -1n, expired_micro: 1n };

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
  version: 1,
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
        {
          op: 'set',
          table: creditLotTable,
          key: { user_id: accountOwner(event.stream), lot_id: lotId },
          set: {
            kind: 'promo',
            granted_micro: granted,
            remaining_micro: granted,
            granted_at: at,
            expires_at: expiresAt,
          },
        },
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
    ShortfallRecorded: (event) => [balance(event)],
  },
});

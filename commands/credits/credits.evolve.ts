import type { CreditAccountEvent, CreditAccountOpened } from '../../src/events/credit-account/credit-account.events.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microOf } from '../../src/kernel/money.ts';
import { booksWith } from './credits.books.ts';
import { spentWith } from './credits.budgets.ts';
import { evolveFunding } from './credits.funding-evolve.ts';
import { giveBack, partsOf, take } from './credits.moves.ts';
import { paceWith, rearmed } from './credits.told.ts';
import {
  opened,
  REMEMBERED,
  REMEMBERED_MS,
  type CreditAccount,
  type Hold,
  type Lot,
  type OpenAccountState,
  type Settled,
} from './credits.state.ts';

/** Forgets in one go what is not needed any more, so that most settlements only add to the list. */
const forget = (settled: readonly Settled[], at: IsoTime): readonly Settled[] => {
  const oldest = Date.parse(at) - REMEMBERED_MS;
  const newest = settled.length - REMEMBERED;
  return settled.filter((entry, index) =>
    entry.unfinished === null ? index >= newest : Date.parse(entry.at) >= oldest,
  );
};

const remember = (settled: readonly Settled[], entry: Settled): readonly Settled[] => [
  ...(settled.length < REMEMBERED * 2 ? settled : forget(settled, entry.at)),
  entry,
];

const settle = (
  state: OpenAccountState,
  reservationId: string,
  how: Settled['how'],
  at: IsoTime,
): Pick<OpenAccountState, 'holds' | 'settled'> => {
  const hold = state.holds.find((open) => open.reservationId === reservationId);
  if (hold === undefined) {
    // A late capture follows an expired lease: the newer news replaces the older.
    const others = state.settled.filter((entry) => entry.reservationId !== reservationId);
    if (others.length === state.settled.length) return state;
    return { holds: state.holds, settled: remember(others, { reservationId, how, at, unfinished: null }) };
  }
  const unfinished = how === 'expired' ? { work: hold.work, since: hold.since } : null;
  return {
    holds: state.holds.filter((open) => open !== hold),
    settled: remember(state.settled, { reservationId, how, at, unfinished }),
  };
};

const evolveOpen = (state: OpenAccountState, event: CreditAccountEvent): OpenAccountState => {
  const { data } = event;
  switch (event.type) {
    case 'CreditAccountOpened':
      return state;
    case 'PromoCreditsGranted': {
      const { lotId, amount, expiresAt } = event.data;
      const given = microOf(amount);
      const times = { since: data.at, expiresAt };
      const lot: Lot = { lotId, kind: 'promo', given, remaining: given, ...times, purchase: null };
      return rearmed({ ...state, lots: [...state.lots, lot] }, data.at);
    }
    case 'PromoCreditsExpired':
      // An empty promo lot can only refill from a hold, and settling one needs the lot to still be known.
      return { ...state, lots: take(state.lots, [{ lotId: event.data.lotId, m: event.data.amount }]) };
    case 'FundsReserved': {
      const { reservationId, work, alloc, leaseUntil, budgets = [] } = event.data;
      const fresh = { since: data.at, leaseUntil, soFar: null, budgets };
      const hold: Hold = { reservationId, work, parts: partsOf(alloc), ...fresh };
      return { ...state, lots: take(state.lots, alloc), holds: [...state.holds, hold] };
    }
    case 'ReservationExtended': {
      const { reservationId, alloc, leaseUntil, soFar } = event.data;
      const holds = state.holds.map((hold) =>
        hold.reservationId === reservationId
          ? { ...hold, parts: [...hold.parts, ...partsOf(alloc)], leaseUntil, soFar: soFar ?? hold.soFar }
          : hold,
      );
      return { ...state, lots: take(state.lots, alloc), holds };
    }
    case 'ReservationCaptured': {
      const { reservationId, released, overrun } = event.data;
      const lots = take(giveBack(state.lots, released), overrun);
      const spent = spentWith(state.spent, event.data);
      const told = paceWith(state.told, event.data);
      return { ...state, lots, spent, told, ...settle(state, reservationId, 'captured', data.at) };
    }
    case 'ReservationReleased':
    case 'ReservationLeaseExpired': {
      const { reservationId, released } = event.data;
      const how = event.type === 'ReservationReleased' ? 'released' : 'expired';
      return { ...state, lots: giveBack(state.lots, released), ...settle(state, reservationId, how, data.at) };
    }
    case 'ShortfallRecorded': {
      const { shortfallId, amount, cause, ref } = event.data;
      return { ...state, owed: [...state.owed, { shortfallId, m: microOf(amount), cause, ref }] };
    }
    default:
      return evolveFunding(state, event);
  }
};

/** The account after an event. */
export const evolveCreditAccount = (state: CreditAccount, event: CreditAccountEvent): CreditAccount => {
  if (state.status === 'none' && event.type !== 'CreditAccountOpened') return state;
  const account = state.status === 'open' ? state : opened((event as CreditAccountOpened).data.userId);
  return { ...evolveOpen(account, event), books: booksWith(account.books, event) };
};

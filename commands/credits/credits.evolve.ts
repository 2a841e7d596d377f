import type { Allocation, CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microOf } from '../../src/kernel/money.ts';
import { never } from '../../src/kernel/never.ts';
import { spentWith } from './credits.budgets.ts';
import {
  REMEMBERED,
  REMEMBERED_MS,
  type CreditAccount,
  type Hold,
  type Lot,
  type OpenAccountState,
  type Part,
  type Settled,
} from './credits.state.ts';

const partsOf = (alloc: readonly Allocation[]): readonly Part[] =>
  alloc.map(({ lotId, m }) => ({ lotId, m: microOf(m) }));

const sumFor = (parts: readonly Part[], lotId: string): bigint =>
  parts.reduce((sum, part) => (part.lotId === lotId ? sum + part.m : sum), 0n);

const move = (lots: readonly Lot[], parts: readonly Part[], sign: 1n | -1n): readonly Lot[] =>
  parts.length === 0
    ? lots
    : lots.map((lot) => {
        const change = sumFor(parts, lot.lotId) * sign;
        return change === 0n ? lot : { ...lot, remaining: lot.remaining + change };
      });

const take = (lots: readonly Lot[], alloc: readonly Allocation[]): readonly Lot[] => move(lots, partsOf(alloc), -1n);
const giveBack = (lots: readonly Lot[], alloc: readonly Allocation[]): readonly Lot[] => move(lots, partsOf(alloc), 1n);

/** Forgets in one go what is not needed any more, so that most settlements only add to the list. */
const forget = (settled: readonly Settled[], at: IsoTime): readonly Settled[] => {
  const oldest = Date.parse(at) - REMEMBERED_MS;
  const newest = settled.length - REMEMBERED;
  return settled.filter((entry, index) =>
    entry.unfinished === null ? index >= newest : Date.parse(entry.at) >= oldest,
  );
};

const remember = (settled: readonly Settled[], entry: Settled): readonly Settled[] => {
  const kept = settled.length < REMEMBERED * 2 ? settled : forget(settled, entry.at);
  // A late capture follows an expired lease: the newer news replaces the older.
  const others = kept.some((other) => other.reservationId === entry.reservationId)
    ? kept.filter((other) => other.reservationId !== entry.reservationId)
    : kept;
  return [...others, entry];
};

const settle = (
  state: OpenAccountState,
  reservationId: string,
  how: Settled['how'],
  at: IsoTime,
): Pick<OpenAccountState, 'holds' | 'settled'> => {
  const hold = state.holds.find((open) => open.reservationId === reservationId);
  if (hold === undefined && !state.settled.some((entry) => entry.reservationId === reservationId)) return state;
  const unfinished = how === 'expired' && hold !== undefined ? { work: hold.work, since: hold.since } : null;
  return {
    holds: state.holds.filter((open) => open.reservationId !== reservationId),
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
      const lot: Lot = { lotId, kind: 'promo', remaining: microOf(amount), since: data.at, expiresAt };
      return { ...state, lots: [...state.lots, lot] };
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
      return { ...state, lots, spent, ...settle(state, reservationId, 'captured', data.at) };
    }
    case 'ReservationReleased':
    case 'ReservationLeaseExpired': {
      const { reservationId, released } = event.data;
      const how = event.type === 'ReservationReleased' ? 'released' : 'expired';
      return { ...state, lots: giveBack(state.lots, released), ...settle(state, reservationId, how, data.at) };
    }
    case 'ShortfallRecorded':
      return { ...state, shortfall: state.shortfall + microOf(event.data.amount) };
    default:
      return never(event);
  }
};

/** The account after an event. */
export const evolveCreditAccount = (state: CreditAccount, event: CreditAccountEvent): CreditAccount => {
  if (state.status === 'open') return evolveOpen(state, event);
  if (event.type !== 'CreditAccountOpened') return state;
  return { status: 'open', userId: event.data.userId, lots: [], holds: [], settled: [], shortfall: 0n, spent: {} };
};

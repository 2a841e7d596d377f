import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { CreditAccountEvent, LotAtClosing } from '../../src/events/credit-account/credit-account.events.ts';
import { periodEnd, periodOf } from '../../src/kernel/budget.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microText } from '../../src/kernel/money.ts';
import { totalsOf } from './credits.lots.ts';
import type { Books, CreditAccount, OpenAccountState } from './credits.state.ts';

const monthAfter = (month: string): string => (periodEnd(`${month}-01T00:00:00.000Z`, 'month') ?? '').slice(0, 7);

/** The month that something of `at` is booked in: its own, or the open one when its own is closed. */
const monthOf = (books: Books, at: IsoTime): string => {
  const own = periodOf(at, 'month');
  const first = books.closed === '' ? '' : monthAfter(books.closed);
  return [own, first, books.month].reduce((latest, month) => (month > latest ? month : latest));
};

/** The member that tells where an event is booked, when that is not where its time says. */
export const bookedIn = (state: CreditAccount, at: IsoTime): Readonly<{ bookedIn?: string }> => {
  if (state.status === 'none') return {};
  const month = monthOf(state.books, at);
  return month === periodOf(at, 'month') ? {} : { bookedIn: month };
};

/** The books after an event. */
export const booksWith = (books: Books, event: CreditAccountEvent): Books => {
  if (event.type === 'BooksClosed') {
    return { closed: event.data.period, month: '', events: 0, opening: event.data.closing };
  }
  const month = event.data.bookedIn ?? periodOf(event.data.at, 'month');
  return { ...books, month: month > books.month ? month : books.month, events: books.events + 1 };
};

const heldIn = (account: OpenAccountState, lotId: string): bigint =>
  account.holds.flatMap(({ parts }) => parts).reduce((sum, part) => (part.lotId === lotId ? sum + part.m : sum), 0n);

const perLot = (account: OpenAccountState): readonly LotAtClosing[] =>
  account.lots
    .map((lot) => ({ ...lot, held: heldIn(account, lot.lotId) }))
    .filter(({ remaining, held }) => remaining > 0n || held > 0n)
    .map(({ lotId, kind, remaining, held }) => ({
      lotId,
      kind,
      remaining: microText(remaining),
      held: microText(held),
    }));

/** What stands for all money of the account: equal hashes mean equal lots, holds and debts. */
export const foldHashOf = (account: OpenAccountState): string => {
  const lots = account.lots.map(({ lotId, kind, remaining, expiresAt }) => [
    lotId,
    kind,
    microText(remaining),
    expiresAt ?? null,
  ]);
  const holds = account.holds.map(({ reservationId, parts }) => [
    reservationId,
    parts.map(({ lotId, m }) => [lotId, microText(m)]),
  ]);
  const owed = account.owed.map(({ shortfallId, m }) => [shortfallId, microText(m)]);
  const text = canonicalize({ lots, holds, owed }) ?? '';
  return createHash('sha256').update(text, 'utf8').digest('hex');
};

/** The closing of the month with events that lies before the month of `at`: nothing can be booked in it any more. */
export const closingOf = (state: CreditAccount, at: IsoTime) => {
  if (state.status === 'none') return [];
  const { month: period, opening, events: eventCount } = state.books;
  if (period === '' || periodOf(at, 'month') <= period) return [];
  const closing = totalsOf(state);
  const foldHash = foldHashOf(state);
  const data = { period, opening, closing, perLot: perLot(state), eventCount, foldHash, at };
  return [{ type: 'BooksClosed' as const, data }];
};

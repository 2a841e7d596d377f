import { foldHashOf } from '../../commands/credits/credits.books.ts';
import { totalsOf } from '../../commands/credits/credits.lots.ts';
import type { CreditAccount } from '../../commands/credits/credits.state.ts';
import { creditAccount } from '../../commands/credits/index.ts';
import type { CreditAccountEvent, Totals } from '../events/credit-account/credit-account.events.ts';
import type { EventStore, StoredEvent } from '../kernel/event-store.ts';
import { upcast } from '../kernel/upcasting.ts';
import type { AsOf } from './replayed-balance.ts';
import { entriesOf, trialBalance, type Booked, type TrialBalance } from './trial-balance.ts';

/** Something that is not as it should be, where it was seen first. */
export type Discrepancy = Readonly<{ where: string; what: string }>;

/** All accounts folded from zero, and what the books say of them. */
export type ReplayedBooks = TrialBalance &
  Readonly<{ accountsReplayed: number; discrepancies: readonly Discrepancy[] }>;

/** What the books say that one customer has: credits less debits. */
type Books = Readonly<Record<'paid' | 'promo' | 'held' | 'owed', bigint>>;

const NOTHING: Books = { paid: 0n, promo: 0n, held: 0n, owed: 0n };
const PLACE: Readonly<Record<string, keyof Books>> = {
  '2000': 'paid',
  '2010': 'promo',
  '2100': 'held',
  '2110': 'held',
  '1100': 'owed',
};

const booksWith = (books: Books, { entry }: Booked): Books =>
  entry.postings.reduce((sums, { account, dr, cr }) => {
    const place = PLACE[account];
    return place === undefined ? sums : { ...sums, [place]: sums[place] + cr - dr };
  }, books);

const sameTotals = (a: Totals, b: Totals): boolean =>
  a.paid === b.paid && a.promo === b.promo && a.held === b.held && a.shortfall === b.shortfall;

type Followed = Readonly<{ state: CreditAccount; books: Books; last: StoredEvent }>;

/** The books of one customer against the lots, holds and debts of the account, at its last event. */
const bookFaults = ({ state, books }: Followed): readonly string[] => {
  const { paid, promo, held, shortfall } = totalsOf(state);
  const expected = { paid: BigInt(paid), promo: BigInt(promo), held: BigInt(held), owed: -BigInt(shortfall) };
  return (Object.keys(expected) as (keyof Books)[])
    .filter((place) => books[place] !== expected[place])
    .map((place) => `the books have ${books[place]} micro-USD ${place} and the account ${expected[place]}`);
};

/** What an event says of the account, against the account right after it. */
const eventFaults = (state: CreditAccount, said: CreditAccountEvent): readonly string[] => {
  const faults: string[] = [];
  if (!sameTotals(totalsOf(state), said.data.after))
    faults.push('what it says of the account is not what a replay has');
  if (said.type !== 'BooksClosed') return faults;
  const hash = state.status === 'none' ? '' : foldHashOf(state);
  return hash === said.data.foldHash ? faults : [...faults, `the closing of ${said.data.period} has another hash`];
};

/** Folds every account from zero and checks what each event says of it, each closing, and the books. */
export const replayedBooks = async (
  store: Pick<EventStore, 'readAll'>,
  asOf: AsOf,
  period?: string,
): Promise<ReplayedBooks> => {
  const { decider, upcasters, category } = creditAccount;
  const sums = trialBalance(period);
  const accounts = new Map<string, Followed>();
  const discrepancies: Discrepancy[] = [];
  const note = ({ stream, revision }: StoredEvent, what: string): void => {
    discrepancies.push({ where: `${stream}@${revision.toString()}`, what });
  };
  for await (const booked of entriesOf(store, asOf)) {
    sums.take(booked);
    const { event } = booked;
    if (!event.stream.startsWith(`${category}-`)) continue;
    const said = upcast(upcasters, event) as CreditAccountEvent;
    const before = accounts.get(event.stream);
    const state = decider.evolve(before?.state ?? decider.initial, said);
    for (const what of eventFaults(state, said)) note(event, what);
    accounts.set(event.stream, { state, books: booksWith(before?.books ?? NOTHING, booked), last: event });
  }
  for (const followed of accounts.values()) for (const what of bookFaults(followed)) note(followed.last, what);
  return { ...sums.report(), accountsReplayed: accounts.size, discrepancies };
};

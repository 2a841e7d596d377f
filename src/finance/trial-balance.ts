import { createHash } from 'node:crypto';
import { ACCOUNTS, type Account, type Posting } from '../../projections/journal/accounts.ts';
import { entryOf, journalStreams, journalUpcasters, type Entry } from '../../projections/journal/entries.ts';
import { positionText, type EventStore, type StoredEvent } from '../kernel/event-store.ts';
import { usdText } from '../kernel/money.ts';
import { upcast } from '../kernel/upcasting.ts';
import { eventsOf } from './log-pages.ts';
import type { AsOf } from './replayed-balance.ts';

/** An event of the books with its entry. */
export type Booked = Readonly<{ event: StoredEvent; entry: Entry }>;

/** Every entry of the log in its order, up to a moment of the store's clock or a position. */
export const entriesOf = async function* (store: Pick<EventStore, 'readAll'>, asOf: AsOf): AsyncGenerator<Booked> {
  const until = asOf.kind === 'position' ? asOf.commit : undefined;
  for await (const event of eventsOf(store, journalStreams, { until })) {
    if (asOf.kind === 'time' && event.created.getTime() > asOf.at.getTime()) return;
    yield { event, entry: entryOf(event.stream, upcast(journalUpcasters, event)) };
  }
};

/** An account of the books. Amounts in USD; the balance is debits less credits. */
export type AccountBalance = Readonly<{
  account: Account;
  name: string;
  debitUsd: string;
  creditUsd: string;
  balanceUsd: string;
}>;

/** All accounts at a point of the log. `hash` stands for every line of every entry: equal hashes mean equal books. */
export type TrialBalance = Readonly<{
  through: string | null;
  events: number;
  lines: number;
  accounts: readonly AccountBalance[];
  debitUsd: string;
  creditUsd: string;
  /** Events whose own lines do not balance; there must be none. */
  unbalanced: readonly string[];
  balanced: boolean;
  hash: string;
}>;

type Sides = Readonly<{ dr: bigint; cr: bigint }>;

const plus = (sides: Sides, { dr, cr }: Sides): Sides => ({ dr: sides.dr + dr, cr: sides.cr + cr });
const NOTHING: Sides = { dr: 0n, cr: 0n };
const total = (lines: Iterable<Sides>): Sides => [...lines].reduce(plus, NOTHING);

const lineText = ({ event, entry }: Booked, { account, dr, cr, lotId = '' }: Posting): string =>
  [event.stream, event.revision, entry.bookedIn, account, dr, cr, lotId].map(String).join(' ');

/** Sums up entries one by one; `period`: only those booked in this month. */
export const trialBalance = (period?: string) => {
  const sums = new Map<Account, Sides>();
  const hash = createHash('sha256');
  const unbalanced: string[] = [];
  let [events, lines] = [0, 0];
  let through: string | null = null;
  return {
    /** Takes the next entry of the log. */
    take: (booked: Booked): void => {
      const { event, entry } = booked;
      through = positionText(event.position);
      if (period !== undefined && entry.bookedIn !== period) return;
      events += 1;
      const { dr, cr } = total(entry.postings);
      if (dr !== cr) unbalanced.push(`${event.stream}@${event.revision.toString()}`);
      for (const posting of entry.postings) {
        lines += 1;
        sums.set(posting.account, plus(sums.get(posting.account) ?? NOTHING, posting));
        hash.update(`${lineText(booked, posting)}\n`);
      }
    },
    /** What there was so far; call once, at the end. */
    report: (): TrialBalance => {
      const { dr, cr } = total(sums.values());
      const accounts = [...sums]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([account, sides]) => ({
          account,
          name: ACCOUNTS[account],
          debitUsd: usdText(sides.dr),
          creditUsd: usdText(sides.cr),
          balanceUsd: usdText(sides.dr - sides.cr),
        }));
      const balanced = dr === cr && unbalanced.length === 0;
      const sumsOf = { debitUsd: usdText(dr), creditUsd: usdText(cr) };
      return { through, events, lines, accounts, ...sumsOf, unbalanced, balanced, hash: hash.digest('hex') };
    },
  };
};

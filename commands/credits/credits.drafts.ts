import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microText } from '../../src/kernel/money.ts';
import { bookedIn } from './credits.books.ts';
import { evolveCreditAccount } from './credits.evolve.ts';
import { isExpired, totalsOf } from './credits.lots.ts';
import type { CreditAccount, Hold, OpenAccountState } from './credits.state.ts';

/** An event before it is told what the account looks like after it. */
export type Draft = CreditAccountEvent extends infer E
  ? E extends { type: infer T; data: infer D }
    ? { type: T; data: Omit<D, 'after' | 'bookedIn'> }
    : never
  : never;

/** Lets the drafts happen one after the other and writes the account's sums into each. */
export const saying = (state: CreditAccount, drafts: readonly Draft[]): readonly CreditAccountEvent[] => {
  let account = state;
  return drafts.map((draft) => {
    const data = { ...draft.data, ...bookedIn(account, draft.data.at) };
    const unsettled = { ...draft, data: { ...data, after: totalsOf(account) } } as CreditAccountEvent;
    account = evolveCreditAccount(account, unsettled);
    return { ...draft, data: { ...data, after: totalsOf(account) } } as CreditAccountEvent;
  });
};

/** The expiry of every lot whose time is over. */
export const expiryOf = (state: CreditAccount, at: IsoTime): readonly Draft[] =>
  state.status === 'none'
    ? []
    : state.lots
        .filter((lot) => lot.remaining > 0n && isExpired(lot, at))
        .map(({ lotId, remaining }) => ({
          type: 'PromoCreditsExpired',
          data: { lotId, amount: microText(remaining), at },
        }));

/** The open account; refuses when there is none yet. */
export const mustBeOpen = (state: CreditAccount): OpenAccountState => {
  if (state.status === 'open') return state;
  throw new DomainError('credit_insufficient', 'this user has no credit account yet; sign in again to open it');
};

/** The account, unless it is closed: then nothing new begins in it. */
export const mustBeInUse = (state: CreditAccount): OpenAccountState => {
  const account = mustBeOpen(state);
  if (!account.closed) return account;
  throw new DomainError('billing_conflict', 'this credit account is closed');
};

/** The open hold of a reservation. */
export const holdOf = (account: OpenAccountState, reservationId: string): Hold | undefined =>
  account.holds.find((hold) => hold.reservationId === reservationId);

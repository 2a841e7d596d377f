import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { fold } from '../../src/kernel/decider.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { closingOf } from './credits.books.ts';
import { expiryOf, saying, type Draft } from './credits.drafts.ts';
import { evolveCreditAccount as evolve } from './credits.evolve.ts';
import { settlementOf } from './credits.funding.ts';
import { noticesOf } from './credits.notices.ts';
import type { CreditAccount } from './credits.state.ts';

/**
 * The drafts with all that goes with them in the same append: before them the closing of a month that is over and the
 * expiry of lots whose time is over; after them the expiry of what they gave back to such a lot, the settling of what is
 * owed from what is free now, and what the user is told of. Nothing goes with nothing.
 */
export const withConsequences = (
  before: CreditAccount,
  at: IsoTime,
  drafts: readonly Draft[],
): readonly CreditAccountEvent[] => {
  if (drafts.length === 0) return [];
  let account = before;
  const said: CreditAccountEvent[] = [];
  const say = (more: readonly Draft[]): void => {
    if (more.length === 0) return;
    const events = saying(account, more);
    account = fold({ evolve }, account, events);
    said.push(...events);
  };
  const [first] = drafts;
  if (first?.type !== 'BooksClosed') say(closingOf(account, at));
  if (first?.type !== 'PromoCreditsExpired') say(expiryOf(account, at));
  say(drafts);
  say(expiryOf(account, at));
  say(settlementOf(account, at));
  say(noticesOf(before, said, account, at));
  return said;
};

import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { fold } from '../../src/kernel/decider.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { closingOf } from './credits.books.ts';
import { expiryOf, saying, type Draft } from './credits.drafts.ts';
import { evolveCreditAccount as evolve } from './credits.evolve.ts';
import { settlementOf } from './credits.funding.ts';
import { noticesOf } from './credits.notices.ts';
import type { CreditAccount } from './credits.state.ts';

/** Lets drafts happen one after the other, each on what the ones before it left. */
const telling = (before: CreditAccount) => {
  let account = before;
  const said: CreditAccountEvent[] = [];
  return {
    say: (drafts: readonly Draft[]): void => {
      if (drafts.length === 0) return;
      const events = saying(account, drafts);
      account = fold({ evolve }, account, events);
      said.push(...events);
    },
    account: () => account,
    said,
  };
};

/**
 * What a decision says with all that goes with it in the same append. Before it: the closing of a month that is over and
 * the expiry of lots whose time is over, so that it is made on what there really is. After it: the expiry of what it gave
 * back to such a lot, the settling of what is owed from what is free now, and what the user is told of. Nothing goes with
 * nothing.
 */
export const withConsequences = (
  before: CreditAccount,
  at: IsoTime,
  decide: (account: CreditAccount) => readonly Draft[],
): readonly CreditAccountEvent[] => {
  const { say, account, said } = telling(before);
  say(closingOf(before, at));
  say(expiryOf(account(), at));
  const drafts = decide(account());
  if (drafts.length === 0) return [];
  say(drafts);
  say(expiryOf(account(), at));
  say(settlementOf(account(), at));
  say(noticesOf(before, said, account(), at));
  return said;
};

/** What the passing of time alone says, with what the user is told of. */
export const withNotices = (
  before: CreditAccount,
  at: IsoTime,
  drafts: readonly Draft[],
): readonly CreditAccountEvent[] => {
  const { say, account, said } = telling(before);
  say(drafts);
  say(noticesOf(before, said, account(), at));
  return said;
};

import { CREDIT_ACCOUNT, type CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { creditAccountUpcasters } from '../../src/events/credit-account/credit-account.upcasters.ts';
import { PURCHASE, type PurchaseEvent } from '../../src/events/purchase/purchase.events.ts';
import { purchaseUpcasters } from '../../src/events/purchase/purchase.upcasters.ts';
import type { Event } from '../../src/kernel/message.ts';
import type { Upcasters } from '../../src/kernel/upcasting.ts';
import { accountPostings } from './account-postings.ts';
import type { Posting } from './accounts.ts';
import { purchasePostings } from './purchase-postings.ts';

/** What an event puts in the books. `bookedIn` is a month, `2026-01`. */
export type Entry = Readonly<{ userId: string; at: string; bookedIn: string; postings: readonly Posting[] }>;

/** The streams whose events are entries. */
export const journalStreams: readonly string[] = [`${CREDIT_ACCOUNT}-`, `${PURCHASE}-`];

/** How the stored events of those streams become their latest shape. */
export const journalUpcasters: Upcasters = { ...creditAccountUpcasters, ...purchaseUpcasters };

const isOfAccount = (stream: string): boolean => stream.startsWith(`${CREDIT_ACCOUNT}-`);

/** The entry of an event, in its latest shape; without lines when no money moves. */
export const entryOf = (stream: string, event: Event): Entry => {
  if (isOfAccount(stream)) {
    const said = event as CreditAccountEvent;
    const { at, bookedIn = at.slice(0, 7) } = said.data;
    return { userId: stream.slice(CREDIT_ACCOUNT.length + 1), at, bookedIn, postings: accountPostings(said) };
  }
  const said = event as PurchaseEvent;
  const { at, userId } = said.data;
  return { userId, at, bookedIn: at.slice(0, 7), postings: purchasePostings(said) };
};

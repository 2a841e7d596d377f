import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { creditAccountUpcasters } from '../../src/events/credit-account/credit-account.upcasters.ts';
import type { Projected, Projection, RowOp } from '../../src/kernel/projection.ts';
import { accountOwner, creditAccountStreams } from '../balance/account-owner.ts';
import { accountPostings } from './account-postings.ts';
import { journalTable } from './journal.table.ts';

/** One row a line of the event's entry. */
const rows = (event: Projected): readonly RowOp[] => {
  const said = { type: event.type, data: event.data } as CreditAccountEvent;
  return accountPostings(said).map((posting, line) => ({
    op: 'insert',
    table: journalTable,
    row: {
      stream: event.stream,
      revision: event.revision,
      line_no: line,
      entry_id: event.id,
      position: event.position.commit,
      event_type: event.type,
      occurred_at: said.data.at,
      booked_period: said.data.bookedIn ?? said.data.at.slice(0, 7),
      account: posting.account,
      dr_micro: posting.dr,
      cr_micro: posting.cr,
      user_id: accountOwner(event.stream),
      lot_id: posting.lotId ?? null,
      purchase_id: posting.purchaseId ?? null,
      request_id: posting.requestId ?? null,
    },
  }));
};

/** The books: every event that moves money, as an entry of two sides. */
export const journalProjection: Projection = {
  name: 'journal',
  version: 1,
  tables: [journalTable],
  streamPrefixes: creditAccountStreams,
  upcasters: creditAccountUpcasters,
  apply: rows,
};

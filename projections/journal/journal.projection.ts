import type { Projected, Projection, RowOp } from '../../src/kernel/projection.ts';
import { entryOf, journalStreams, journalUpcasters } from './entries.ts';
import { journalTable } from './journal.table.ts';

/** One row a line of the event's entry. */
const rows = (event: Projected): readonly RowOp[] => {
  const { userId, at, bookedIn, postings } = entryOf(event.stream, event);
  return postings.map((posting, line) => ({
    op: 'insert',
    table: journalTable,
    row: {
      stream: event.stream,
      revision: event.revision,
      line_no: line,
      entry_id: event.id,
      position: event.position.commit,
      event_type: event.type,
      occurred_at: at,
      booked_period: bookedIn,
      account: posting.account,
      dr_micro: posting.dr,
      cr_micro: posting.cr,
      user_id: userId,
      lot_id: posting.lotId ?? null,
      purchase_id: posting.purchaseId ?? null,
      request_id: posting.requestId ?? null,
    },
  }));
};

/** The books: every event that moves money, as an entry of two sides. */
export const journalProjection: Projection = {
  name: 'journal',
  version: 3,
  tables: [journalTable],
  streamPrefixes: journalStreams,
  upcasters: journalUpcasters,
  apply: rows,
};

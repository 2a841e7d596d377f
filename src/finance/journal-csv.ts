import type { Booked } from './trial-balance.ts';

/** The first line of the export. */
export const JOURNAL_HEAD =
  'position,stream,revision,line,at,booked,event,account,debit_micro_usd,credit_micro_usd,user,lot,purchase,request';

/** A cell as RFC 4180 has it; what a spreadsheet would take for a formula is made a text. */
export const csvCell = (value: string): string => {
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** The lines of an entry, amounts in micro-USD. */
export const journalLines = ({ event, entry }: Booked): readonly string[] =>
  entry.postings.map(({ account, dr, cr, lotId = '', purchaseId = '', requestId = '' }, line) => {
    const { stream, revision, position, type } = event;
    const where = [position.commit, stream, revision, line, entry.at, entry.bookedIn, type];
    return [...where, account, dr, cr, entry.userId, lotId, purchaseId, requestId]
      .map((value) => csvCell(String(value)))
      .join(',');
  });

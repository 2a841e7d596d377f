import { consentStateTable } from '../../projections/consent/consent.table.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type StateRow = Readonly<{ doc_type: string; accepted_version: string; accepted_at: IsoTime }>;

/** What the user agrees to, by type of document. */
export type AcceptedDocument = Readonly<{ docType: string; version: string; acceptedAt: IsoTime }>;

/** What does this user agree to in this region? */
export const consentState = (userId: string, region: string): Query<StateRow, readonly AcceptedDocument[]> => ({
  statement: sql`
    select doc_type, accepted_version, accepted_at from ${consentStateTable}
    where user_id = ${userId} and region = ${region} and accepted_version is not null`,
  present: (rows) =>
    rows.map((row) => ({ docType: row.doc_type, version: row.accepted_version, acceptedAt: row.accepted_at })),
});

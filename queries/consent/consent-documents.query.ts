import { consentDocumentTable } from '../../projections/consent/consent.table.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type DocumentRow = Readonly<{
  document_id: string;
  region: string;
  doc_type: string;
  version: string;
  effective_at: string;
  url: string;
  content_hash: string;
  material_change: boolean;
  published_at: IsoTime;
}>;

/** A version of a document, as clients know it. Instants with six decimals. */
export type DocumentView = Readonly<{
  id: string;
  docType: string;
  region: string;
  version: string;
  effectiveAt: string;
  url: string;
  contentHash: string;
  materialChange: boolean;
  createdAt: IsoTime;
  updatedAt: IsoTime;
}>;

const view = (row: DocumentRow): DocumentView => ({
  id: row.document_id,
  docType: row.doc_type,
  region: row.region,
  version: row.version,
  effectiveAt: row.effective_at,
  url: row.url,
  contentHash: row.content_hash,
  materialChange: row.material_change,
  createdAt: row.published_at,
  updatedAt: row.published_at,
});

/** What is there to agree to in this region on this day (`YYYY-MM-DD`)? One of each type, by type. For the system role. */
export const currentDocuments = (region: string, day: string): Query<DocumentRow, readonly DocumentView[]> => ({
  statement: sql`
    select distinct on (doc_type) * from ${consentDocumentTable}
    where region = ${region} and effective_at <= ${day}
    order by doc_type, effective_at desc, revision desc`,
  present: (rows) => rows.map(view),
});

/** Which versions were ever published, the newest of each document first? For the system role. */
export const allDocuments = (): Query<DocumentRow, readonly DocumentView[]> => ({
  statement: sql`
    select * from ${consentDocumentTable} order by region, doc_type, effective_at desc, revision desc`,
  present: (rows) => rows.map(view),
});

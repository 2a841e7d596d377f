import {
  CONSENT,
  CONSENT_DOCUMENTS,
  type ConsentAccepted,
  type ConsentDocumentsEvent,
  type ConsentEvent,
} from '../../src/events/consent/consent.events.ts';
import { consentDocumentsUpcasters, consentUpcasters } from '../../src/events/consent/consent.upcasters.ts';
import { defineProjection, type RowOp } from '../../src/kernel/projection.ts';
import type { Row } from '../../src/kernel/table.ts';
import { consentAcceptanceTable, consentDocumentTable, consentStateTable } from './consent.table.ts';

type Said = ConsentAccepted['data'];

const placeOf = ({ userId, region, docType }: Said): Row => ({ user_id: userId, region, doc_type: docType });

/** A user's word as it stands now, and the same word about its version. */
const said = (data: Said, state: Row, acceptance: Row): readonly RowOp[] => [
  { op: 'set', table: consentStateTable, key: placeOf(data), set: { ...state, source: data.source } },
  { op: 'set', table: consentAcceptanceTable, key: { ...placeOf(data), version: data.version }, set: acceptance },
];

/** The documents, and who agrees to them. */
export const consentProjection = defineProjection<ConsentEvent | ConsentDocumentsEvent>({
  name: 'consent',
  version: 1,
  tables: [consentDocumentTable, consentStateTable, consentAcceptanceTable],
  streamPrefixes: [`${CONSENT}-`, `${CONSENT_DOCUMENTS}-`],
  upcasters: { ...consentUpcasters, ...consentDocumentsUpcasters },
  on: {
    ConsentDocumentPublished: ({ data, revision }) => [
      {
        op: 'set',
        table: consentDocumentTable,
        key: { document_id: data.documentId },
        set: {
          region: data.region,
          doc_type: data.docType,
          version: data.version,
          effective_at: data.effectiveAt,
          url: data.url,
          content_hash: data.contentHash,
          material_change: data.materialChange,
          published_at: data.at,
          revision,
        },
      },
    ],
    ConsentAccepted: ({ data }) =>
      said(
        data,
        { accepted_version: data.version, accepted_at: data.at, withdrawn_at: null },
        { accepted_at: data.at, withdrawn_at: null },
      ),
    ConsentWithdrawn: ({ data }) =>
      said(data, { accepted_version: null, accepted_at: null, withdrawn_at: data.at }, { withdrawn_at: data.at }),
  },
});

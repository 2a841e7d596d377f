import { defineTable } from '../../src/kernel/table.ts';

/** Every version of every document, also those whose day has not come. */
export const consentDocumentTable = defineTable({
  name: 'consent_document',
  columns: {
    document_id: { type: 'uuid' },
    region: { type: 'text' },
    doc_type: { type: 'text' },
    version: { type: 'text' },
    /** `YYYY-MM-DD` in UTC, which sorts as text. */
    effective_at: { type: 'text' },
    url: { type: 'text' },
    content_hash: { type: 'text' },
    material_change: { type: 'boolean' },
    published_at: { type: 'timestamptz' },
    /** Of two versions of one day the one that was published later counts. */
    revision: { type: 'bigint' },
  },
  key: ['document_id'],
  indexes: [['region', 'doc_type', 'effective_at desc', 'revision desc']],
});

/** What each user agrees to; version and time are null once it was taken back. */
export const consentStateTable = defineTable({
  name: 'consent_state',
  columns: {
    user_id: { type: 'uuid' },
    region: { type: 'text' },
    doc_type: { type: 'text' },
    accepted_version: { type: 'text', nullable: true },
    accepted_at: { type: 'timestamptz', nullable: true },
    withdrawn_at: { type: 'timestamptz', nullable: true },
    source: { type: 'text' },
  },
  key: ['user_id', 'region', 'doc_type'],
  owner: 'user_id',
});

/** Who agreed to which version when, also to older ones. */
export const consentAcceptanceTable = defineTable({
  name: 'consent_acceptance',
  columns: {
    user_id: { type: 'uuid' },
    region: { type: 'text' },
    doc_type: { type: 'text' },
    version: { type: 'text' },
    accepted_at: { type: 'timestamptz', nullable: true },
    withdrawn_at: { type: 'timestamptz', nullable: true },
  },
  key: ['user_id', 'region', 'doc_type', 'version'],
  owner: 'user_id',
  indexes: [['region', 'doc_type', 'version', 'accepted_at']],
});

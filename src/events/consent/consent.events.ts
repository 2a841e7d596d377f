import type { Event, IsoTime } from '../../kernel/message.ts';
import type { Sealed } from '../../kernel/vault.ts';

export const CONSENT_REGIONS = ['eu', 'us'] as const;
export type ConsentRegion = (typeof CONSENT_REGIONS)[number];

export const DOCUMENT_TYPES = ['terms', 'privacy'] as const;
export type DocumentType = (typeof DOCUMENT_TYPES)[number];

/** What a user consents to: each region has a document of each type. */
export type DocumentPlace = Readonly<{ region: ConsentRegion; docType: DocumentType }>;

/** By what the user consented: a device that is registered to them tells what it is, anything else is the API. */
export type ConsentSource = 'desktop' | 'mobile' | 'api';

type Said = DocumentPlace &
  Readonly<{
    userId: string;
    version: string;
    source: ConsentSource;
    /** The client's own words, under the user's key. */
    userAgent: Sealed | null;
    /** Whatever else the client told, a JSON object, under the user's key. */
    details: Sealed | null;
    at: IsoTime;
  }>;

/** The user agrees to this version. */
export type ConsentAccepted = Event<'ConsentAccepted', Said>;

/** The user no longer agrees to the version that they had agreed to. */
export type ConsentWithdrawn = Event<'ConsentWithdrawn', Said>;

export type ConsentEvent = ConsentAccepted | ConsentWithdrawn;

/** Streams are `consent-<userId>`; sealed members use the stream's name as their context. */
export const CONSENT = 'consent';

/** A version of a document is there, for people to agree to from its day on. */
export type ConsentDocumentPublished = Event<
  'ConsentDocumentPublished',
  DocumentPlace &
    Readonly<{
      documentId: string;
      version: string;
      /** The day (UTC, `YYYY-MM-DD`) from which it is the one to agree to. */
      effectiveAt: string;
      url: string;
      contentHash: string;
      materialChange: boolean;
      at: IsoTime;
    }>
>;

export type ConsentDocumentsEvent = ConsentDocumentPublished;

/** The one stream is `consentDocuments-main`. */
export const CONSENT_DOCUMENTS = 'consentDocuments';
export const CONSENT_DOCUMENTS_ID = 'main';

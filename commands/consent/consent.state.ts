import type { ConsentDocumentPublished, DocumentPlace } from '../../src/events/consent/consent.events.ts';

/** A document as it was published. */
export type ConsentDocument = ConsentDocumentPublished['data'];

/** All documents, in the order of their publication. */
export type ConsentDocuments = readonly ConsentDocument[];

/** The version that a user agrees to, by region and type; absent: none. */
export type Consents = Readonly<Record<string, string>>;

/** Where a document stands among the others. */
export const placeName = ({ region, docType }: DocumentPlace): string => `${region}/${docType}`;

/** The document to agree to on a day (`YYYY-MM-DD`): the latest that is in force; of one day, the one published last. */
export const currentDocument = (
  documents: ConsentDocuments,
  place: DocumentPlace,
  day: string,
): ConsentDocument | undefined =>
  documents
    .filter((document) => placeName(document) === placeName(place) && document.effectiveAt <= day)
    .reduce<ConsentDocument | undefined>(
      (latest, document) => (latest !== undefined && latest.effectiveAt > document.effectiveAt ? latest : document),
      undefined,
    );

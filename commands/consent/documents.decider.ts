import type { ConsentDocumentsEvent } from '../../src/events/consent/consent.events.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { never } from '../../src/kernel/never.ts';
import type { ConsentDocumentsCommand, PublishConsentDocument } from './consent.commands.ts';
import { currentDocument, placeName, type ConsentDocument, type ConsentDocuments } from './consent.state.ts';

const sameVersion = (documents: ConsentDocuments, wanted: ConsentDocument): ConsentDocument | undefined =>
  documents.find(({ version, ...place }) => placeName(place) === placeName(wanted) && version === wanted.version);

const isSame = (a: ConsentDocument, b: ConsentDocument): boolean =>
  a.effectiveAt === b.effectiveAt &&
  a.url === b.url &&
  a.contentHash === b.contentHash &&
  a.materialChange === b.materialChange;

const publish = ({ data }: PublishConsentDocument, documents: ConsentDocuments): readonly ConsentDocumentsEvent[] => {
  const known = sameVersion(documents, data);
  if (known !== undefined && isSame(known, data)) return [];
  if (known !== undefined) {
    throw new DomainError('already_exists', `version ${data.version} was published with other content; name a new one`);
  }
  const current = currentDocument(documents, data, data.at.slice(0, 10));
  if (current !== undefined && data.effectiveAt < current.effectiveAt) {
    throw new DomainError(
      'validation_error',
      `effectiveAt is before ${current.effectiveAt}, since when version ${current.version} is in force: it would never be`,
    );
  }
  return [{ type: 'ConsentDocumentPublished', data }];
};

const decide = (command: ConsentDocumentsCommand, documents: ConsentDocuments): readonly ConsentDocumentsEvent[] => {
  switch (command.type) {
    case 'PublishConsentDocument':
      return publish(command, documents);
    case 'SeedConsentDocument':
      return sameVersion(documents, command.data) === undefined
        ? [{ type: 'ConsentDocumentPublished', data: command.data }]
        : [];
    default:
      return never(command);
  }
};

/** Which documents there are. One that was published stays as it is. */
export const consentDocumentsDecider: Decider<ConsentDocuments, ConsentDocumentsCommand, ConsentDocumentsEvent> = {
  initial: [],
  evolve: (documents, { data }) => [...documents, data],
  decide,
};

import {
  CONSENT,
  CONSENT_DOCUMENTS_ID,
  type ConsentDocumentsEvent,
  type ConsentEvent,
  type ConsentSource,
  type DocumentPlace,
} from '../../src/events/consent/consent.events.ts';
import { streamOf } from '../../src/kernel/aggregate.ts';
import type { CommandHandler } from '../../src/kernel/command-handler.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Cause } from '../../src/kernel/message.ts';
import type { SubjectVault } from '../../src/kernel/vault.ts';
import type { ConsentCommand, ConsentDocumentsCommand } from './consent.commands.ts';
import { currentDocument, placeName, type ConsentDocument, type ConsentDocuments } from './consent.state.ts';
import type { Consents as ConsentState } from './consent.state.ts';

/** A document before it is published. */
export type NewDocument = Omit<ConsentDocument, 'documentId' | 'at'>;

/** What a client tells about a user's word. */
export type Word = DocumentPlace &
  Readonly<{
    userId: string;
    source: ConsentSource;
    userAgent: string | undefined;
    details: Readonly<Record<string, unknown>> | undefined;
  }>;

/** The write side of consent. */
export type Consents = Readonly<{
  /** Agrees to the current version; saying so again says nothing new. Refused with not_found when there is no document. */
  accept: (word: Word, cause: Cause) => Promise<void>;
  /** Takes the agreement back, if there is one. Refused with not_found when there is no document. */
  withdraw: (word: Word, cause: Cause) => Promise<void>;
  /** Publishes a version, for now or for a day to come. Answers it, also when it was there already. */
  publish: (document: NewDocument, cause: Cause) => Promise<ConsentDocument>;
  /** Has these documents, unless their versions are there. Idempotent, on any number of instances. */
  seed: (documents: readonly NewDocument[], cause: Cause) => Promise<void>;
}>;

type Deps = Readonly<{
  consents: CommandHandler<ConsentState, ConsentCommand, ConsentEvent>;
  documents: CommandHandler<ConsentDocuments, ConsentDocumentsCommand, ConsentDocumentsEvent>;
  vault: Pick<SubjectVault, 'seal'>;
}>;

const published = (document: NewDocument, { at }: Cause): ConsentDocument => {
  const documentId = uuidOf(`consentDocument|${placeName(document)}|${document.version}`);
  return { ...document, documentId, at };
};

/** Seals what is personal, finds the version that is meant, and hands the commands on. */
export const consentService = ({ consents, documents, vault }: Deps): Consents => {
  const current = async (place: DocumentPlace, { at }: Cause): Promise<ConsentDocument> => {
    const found = currentDocument(await documents.state(CONSENT_DOCUMENTS_ID), place, at.slice(0, 10));
    if (found !== undefined) return found;
    throw new DomainError(
      'not_found',
      `there is no current ${place.docType} document for the region '${place.region}'`,
    );
  };

  const facts = async ({ userAgent, details, ...word }: Word, { at }: Cause) => {
    const sealed = (value: unknown) =>
      value === undefined ? null : vault.seal(word.userId, streamOf({ category: CONSENT }, word.userId), value);
    return { ...word, userAgent: await sealed(userAgent), details: await sealed(details), at };
  };

  // A word may be given, taken back and given again: each time is a command of its own.
  const keyOf = (verb: string, word: Word, { causationId, at }: Cause): string =>
    `${verb}:${placeName(word)}:${causationId}:${at}`;

  return {
    accept: async (word, cause) => {
      const { version } = await current(word, cause);
      const data = { ...(await facts(word, cause)), version };
      await consents.handle(word.userId, { type: 'AcceptConsent', key: keyOf('accept', word, cause), data }, cause);
    },
    withdraw: async (word, cause) => {
      await current(word, cause);
      const data = await facts(word, cause);
      await consents.handle(word.userId, { type: 'WithdrawConsent', key: keyOf('withdraw', word, cause), data }, cause);
    },
    publish: async (document, cause) => {
      const data = published(document, cause);
      const command = { type: 'PublishConsentDocument', key: `publish:${data.documentId}`, data } as const;
      const { state } = await documents.handle(CONSENT_DOCUMENTS_ID, command, cause);
      return state.find(({ documentId }) => documentId === data.documentId) ?? data;
    },
    seed: async (first, cause) => {
      for (const document of first) {
        const data = published(document, cause);
        const command = { type: 'SeedConsentDocument', key: `first:${data.documentId}`, data } as const;
        await documents.handle(CONSENT_DOCUMENTS_ID, command, cause);
      }
    },
  };
};

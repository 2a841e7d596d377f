import type {
  ConsentAccepted,
  ConsentDocumentPublished,
  ConsentWithdrawn,
} from '../../src/events/consent/consent.events.ts';
import type { Command } from '../../src/kernel/message.ts';

/** Agrees to a version; says nothing when the user has agreed to it. */
export type AcceptConsent = Command<'AcceptConsent', ConsentAccepted['data']>;

/** Takes back what the user agreed to, whatever version that was; says nothing when that is nothing. */
export type WithdrawConsent = Command<'WithdrawConsent', Omit<ConsentWithdrawn['data'], 'version'>>;

export type ConsentCommand = AcceptConsent | WithdrawConsent;

/**
 * Publishes a version of a document. Says nothing when it is there already; refused with already_exists when the version
 * is there with other content, and with validation_error when it could never come into force. Key `publish:<documentId>`.
 */
export type PublishConsentDocument = Command<'PublishConsentDocument', ConsentDocumentPublished['data']>;

/** Has the documents that come with the build; those that are there stay as they are. Key `first:<documentId>`. */
export type SeedConsentDocument = Command<'SeedConsentDocument', ConsentDocumentPublished['data']>;

export type ConsentDocumentsCommand = PublishConsentDocument | SeedConsentDocument;

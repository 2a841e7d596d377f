import {
  CONSENT,
  CONSENT_DOCUMENTS,
  type ConsentDocumentsEvent,
  type ConsentEvent,
} from '../../src/events/consent/consent.events.ts';
import { consentDocumentsUpcasters, consentUpcasters } from '../../src/events/consent/consent.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { ConsentCommand, ConsentDocumentsCommand } from './consent.commands.ts';
import { consentDecider } from './consent.decider.ts';
import type { ConsentDocuments, Consents } from './consent.state.ts';
import { consentDocumentsDecider } from './documents.decider.ts';

/** What a user agrees to, by user id. */
export const consentAggregate: Aggregate<Consents, ConsentCommand, ConsentEvent> = {
  category: CONSENT,
  decider: consentDecider,
  upcasters: consentUpcasters,
};

/** The documents to agree to. */
export const consentDocumentsAggregate: Aggregate<ConsentDocuments, ConsentDocumentsCommand, ConsentDocumentsEvent> = {
  category: CONSENT_DOCUMENTS,
  decider: consentDocumentsDecider,
  upcasters: consentDocumentsUpcasters,
};

import type { Upcasters } from '../../kernel/upcasting.ts';
import type { ConsentDocumentsEvent, ConsentEvent } from './consent.events.ts';

/** Every event of a user's consent is still in its first shape. */
export const consentUpcasters: Upcasters<ConsentEvent> = {};

/** Every event of the documents is still in its first shape. */
export const consentDocumentsUpcasters: Upcasters<ConsentDocumentsEvent> = {};

import type { Upcasters } from '../../kernel/upcasting.ts';
import type { EmailEvent, IdentityEvent } from './identity.events.ts';

/** Every claim on an identity is still in its first shape. */
export const identityUpcasters: Upcasters<IdentityEvent> = {};

/** Every claim on an e-mail is still in its first shape. */
export const emailUpcasters: Upcasters<EmailEvent> = {};

import type { Upcasters } from '../../kernel/upcasting.ts';
import type { StripeEventEvent } from './stripe-event.events.ts';

/** Every event of the inbox is still in its first shape. */
export const stripeEventUpcasters: Upcasters<StripeEventEvent> = {};

import type { Upcasters } from '../../kernel/upcasting.ts';
import type { ReconciliationEvent } from './reconciliation.events.ts';

/** All events are still in their first shape. */
export const reconciliationUpcasters: Upcasters<ReconciliationEvent> = {};

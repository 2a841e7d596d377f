import type { Upcasters } from '../../kernel/upcasting.ts';
import type { AutoTopOffEvent } from './auto-top-off.events.ts';

/** Every event of the process is still in its first shape. */
export const autoTopOffUpcasters: Upcasters<AutoTopOffEvent> = {};

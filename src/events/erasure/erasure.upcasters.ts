import type { Upcasters } from '../../kernel/upcasting.ts';
import type { ErasureEvent } from './erasure.events.ts';

/** Every event of an erasure is still in its first shape. */
export const erasureUpcasters: Upcasters<ErasureEvent> = {};

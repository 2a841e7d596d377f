import type { Upcasters } from '../../kernel/upcasting.ts';
import type { PurchaseEvent } from './purchase.events.ts';

/** Every event of a purchase is still in its first shape. */
export const purchaseUpcasters: Upcasters<PurchaseEvent> = {};

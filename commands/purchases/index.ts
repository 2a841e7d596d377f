import { PURCHASE, type PurchaseEvent } from '../../src/events/purchase/purchase.events.ts';
import { purchaseUpcasters } from '../../src/events/purchase/purchase.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { PurchaseCommand } from './purchases.commands.ts';
import { purchaseDecider } from './purchases.decider.ts';
import type { Purchase } from './purchases.state.ts';

/** One payment that becomes credit, by its own id. */
export const purchaseAggregate: Aggregate<Purchase, PurchaseCommand, PurchaseEvent> = {
  category: PURCHASE,
  decider: purchaseDecider,
  upcasters: purchaseUpcasters,
};

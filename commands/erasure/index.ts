import { ERASURE, type ErasureEvent } from '../../src/events/erasure/erasure.events.ts';
import { erasureUpcasters } from '../../src/events/erasure/erasure.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { ErasureCommand } from './erasure.commands.ts';
import { erasureDecider } from './erasure.decider.ts';
import type { Erasure } from './erasure.state.ts';

/** The erasure of a user, by user id. */
export const erasureAggregate: Aggregate<Erasure, ErasureCommand, ErasureEvent> = {
  category: ERASURE,
  decider: erasureDecider,
  upcasters: erasureUpcasters,
};

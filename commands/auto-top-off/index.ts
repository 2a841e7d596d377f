import { AUTO_TOP_OFF, type AutoTopOffEvent } from '../../src/events/auto-top-off/auto-top-off.events.ts';
import { autoTopOffUpcasters } from '../../src/events/auto-top-off/auto-top-off.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { AutoTopOffCommand } from './auto-top-off.commands.ts';
import { autoTopOffDecider, type AutoTopOff } from './auto-top-off.decider.ts';

/** Automatic buying, by user id. */
export const autoTopOffAggregate: Aggregate<AutoTopOff, AutoTopOffCommand, AutoTopOffEvent> = {
  category: AUTO_TOP_OFF,
  decider: autoTopOffDecider,
  upcasters: autoTopOffUpcasters,
};

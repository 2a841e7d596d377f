import { CATALOGUE, type CatalogueEvent } from '../../src/events/catalogue/catalogue.events.ts';
import { catalogueUpcasters } from '../../src/events/catalogue/catalogue.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { CatalogueCommand } from './catalogue.commands.ts';
import { catalogueDecider } from './catalogue.decider.ts';
import type { CatalogueChanges, Offer } from './catalogue.state.ts';

/** What is offered: a build, and the changes to it, which are one stream. */
export const catalogueAggregate = (build: Offer): Aggregate<CatalogueChanges, CatalogueCommand, CatalogueEvent> => ({
  category: CATALOGUE,
  decider: catalogueDecider(build),
  upcasters: catalogueUpcasters,
});

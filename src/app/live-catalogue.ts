import { catalogueService, type CatalogueService } from '../../commands/catalogue/catalogue-service.ts';
import { catalogueAggregate } from '../../commands/catalogue/index.ts';
import { settledOffer, type CatalogueView } from '../../commands/catalogue/offer.ts';
import type { CatalogueChanges, Offer } from '../../commands/catalogue/catalogue.state.ts';
import { CATALOGUE } from '../events/catalogue/catalogue.events.ts';
import type { Catalogue } from '../kernel/catalogue.ts';
import type { Clock } from '../kernel/clock.ts';
import { commandHandler } from '../kernel/command-handler.ts';
import { DomainError } from '../kernel/errors.ts';
import type { EventStore } from '../kernel/event-store.ts';
import type { Logger } from '../kernel/logger.ts';
import type { SystemPrompt } from '../kernel/system-prompt.ts';
import { overlaid, type Overlaid } from './overlaid.ts';

type Deps = Readonly<{
  build: Offer;
  store: EventStore;
  clock: Clock;
  pause: (milliseconds: number) => Promise<void>;
  logger: Logger;
}>;

/** What this process offers, in memory, kept fresh from the log. All but `isLive` throw until it was first read. */
export type LiveCatalogue = Readonly<{
  catalogue: () => Catalogue;
  prompts: () => readonly SystemPrompt[];
  view: () => CatalogueView;
  service: CatalogueService;
}> &
  Overlaid;

/** Lays the changes over the build; `start` loads them and follows the log, again and again when the store goes away. */
export const liveCatalogue = ({ build, store, clock, pause, logger }: Deps): LiveCatalogue => {
  let known: CatalogueView | undefined;

  /** Answers may overtake each other; what is offered never goes back. */
  const adopt = (changes: CatalogueChanges): void => {
    if (known !== undefined && known.changes.revision >= changes.revision) return;
    const { offer, setAside } = settledOffer(build, changes);
    if (setAside.length > 0) logger.warn({ setAside }, 'changes of the catalogue that this build cannot follow');
    known = { offer, changes, setAside };
  };

  const handler = commandHandler(catalogueAggregate(build), { store, logger, pause });
  const service = catalogueService({ build, handler, changed: adopt });

  const view = (): CatalogueView => {
    if (known !== undefined) return known;
    throw new DomainError('service_unavailable', 'the catalogue is still being read; try again', {
      retryAfterSeconds: 1,
    });
  };

  return {
    catalogue: () => view().offer.catalogue,
    prompts: () => view().offer.prompts,
    view,
    service,
    ...overlaid({
      what: 'the catalogue',
      category: CATALOGUE,
      book: `price book ${build.catalogue.version}`,
      publish: service.publish,
      read: service.read,
      adopt,
      known: () => known?.changes.revision,
      ...{ store, clock, pause, logger },
    }),
  };
};

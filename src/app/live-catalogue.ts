import { catalogueService, type CatalogueService } from '../../commands/catalogue/catalogue-service.ts';
import { catalogueAggregate } from '../../commands/catalogue/index.ts';
import { settledOffer, type CatalogueView } from '../../commands/catalogue/offer.ts';
import type { CatalogueChanges, Offer } from '../../commands/catalogue/catalogue.state.ts';
import { CATALOGUE } from '../events/catalogue/catalogue.events.ts';
import type { Catalogue } from '../kernel/catalogue.ts';
import { isoOf, type Clock } from '../kernel/clock.ts';
import { commandHandler } from '../kernel/command-handler.ts';
import { DomainError } from '../kernel/errors.ts';
import { comparePositions, type EventStore, type Position } from '../kernel/event-store.ts';
import { uuidOf } from '../kernel/ids.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Cause } from '../kernel/message.ts';
import type { SystemPrompt } from '../kernel/system-prompt.ts';

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
  /** Resolves when the build's prices are in the log and everything that had been changed by now is in effect. */
  start: (signal: AbortSignal) => Promise<void>;
  /** False while news do not come in, because the store is away. */
  isLive: () => boolean;
}>;

const LONGEST_PAUSE_MS = 5000;

/** The build itself is what makes its prices known. */
const causeAt = (at: string, book: string): Cause => {
  const id = uuidOf(`price book ${book} ${at}`);
  return { at, correlationId: id, causationId: id, actor: { kind: 'system', id: 'system' } };
};

/** Lays the changes over the build; `start` loads them and follows the log, again and again when the store goes away. */
export const liveCatalogue = ({ build, store, clock, pause, logger }: Deps): LiveCatalogue => {
  let known: CatalogueView | undefined;
  let position: Position | undefined;
  let live = false;

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

  const load = async (): Promise<void> => {
    // The position comes first: what happens between the two reads is then only told again.
    position = await store.head();
    await service.publish(causeAt(isoOf(clock()), build.catalogue.version));
  };

  const follow = async (signal: AbortSignal, caughtUp: () => void): Promise<void> => {
    const filter = { streamPrefixes: [`${CATALOGUE}-`] };
    const from = position === undefined ? {} : { from: position };
    for await (const item of store.subscribe({ ...from, filter, signal })) {
      if (item.kind === 'caught-up') {
        live = true;
        caughtUp();
        continue;
      }
      if (item.kind === 'event' && BigInt(known?.changes.revision ?? 0) <= item.event.revision) {
        adopt(await service.read());
      }
      const reached = item.kind === 'event' ? item.event.position : item.position;
      if (position === undefined || comparePositions(reached, position) > 0) position = reached;
    }
  };

  const loadAndFollow = async (signal: AbortSignal, caughtUp: () => void): Promise<void> => {
    const stopped = (): boolean => signal.aborted;
    for (let wait = 100; !stopped(); wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      try {
        if (known === undefined) await load();
        await follow(signal, () => {
          wait = 100;
          caughtUp();
        });
      } catch (error) {
        logger.warn({ err: error }, 'the catalogue is not fresh; trying again');
      }
      live = false;
      if (!stopped()) await pause(wait);
    }
  };

  return {
    catalogue: () => view().offer.catalogue,
    prompts: () => view().offer.prompts,
    view,
    service,
    start: (signal) =>
      new Promise((resolve, reject) => {
        loadAndFollow(signal, resolve).then(() => reject(new Error('stopped before it was ready')), reject);
      }),
    isLive: () => live,
  };
};

import { isDeepStrictEqual } from 'node:util';
import type { CatalogueEvent, NamedPrice } from '../../src/events/catalogue/catalogue.events.ts';
import type { Model, Price } from '../../src/kernel/catalogue.ts';
import { fold, type Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { never } from '../../src/kernel/never.ts';
import { priceText, priceVersionOf } from '../../src/kernel/price-text.ts';
import type {
  AddModel,
  CatalogueCommand,
  CatalogueWish,
  ChangeModel,
  ChangeProvider,
  ChangeSettings,
  ChangeTask,
} from './catalogue.commands.ts';
import { evolveCatalogue } from './catalogue.evolve.ts';
import { nothingChanged, type CatalogueChanges, type Offer } from './catalogue.state.ts';
import { changePrompt } from './change-prompt.ts';
import type { Ground } from './ground.ts';
import { factsOf, offerFaults, offerOf } from './offer.ts';
import { priceBookOf } from './price-book.ts';
import { revert } from './revert.ts';

/** What every event of a change says. */
const noteOf = ({ at, reason }: CatalogueWish['data']) => ({ at, reason });

const modelOf = ({ now }: Ground, id: string): Model => {
  const model = now.catalogue.models.find((candidate) => candidate.id === id);
  if (model !== undefined) return model;
  throw new DomainError('not_found', `there is no model '${id}'; GET /api/admin/catalogue lists them`);
};

const named = ({ build }: Ground, price: Price): NamedPrice => ({
  price: priceText(price),
  priceVersion: priceVersionOf(build.catalogue.version, price),
});

/** Those of the changes that are news. */
const news = <T extends object>(current: T, changes: Partial<T>): Partial<T> =>
  Object.fromEntries(
    Object.entries(changes).filter(([name, value]) => !isDeepStrictEqual(value, current[name as keyof T])),
  ) as Partial<T>;

const isEmpty = (changes: object): boolean => Object.keys(changes).length === 0;

const changePrice = (ground: Ground, data: CatalogueWish['data'], price: Price): readonly CatalogueEvent[] => {
  const wanted = named(ground, price);
  if (isDeepStrictEqual(priceText(modelOf(ground, data.id).price), wanted.price)) return [];
  return [{ type: 'ModelPriceChanged', data: { modelId: data.id, ...wanted, ...noteOf(data) } }];
};

const addModel = (ground: Ground, { data }: AddModel): readonly CatalogueEvent[] => {
  const { id: modelId, facts, price } = data;
  const existing = ground.now.catalogue.models.find(({ id }) => id === modelId);
  const wanted = named(ground, price);
  if (existing === undefined) return [{ type: 'ModelAdded', data: { modelId, facts, ...wanted, ...noteOf(data) } }];
  // Adding the same again is not an error: the caller may have missed our first answer.
  const same =
    isDeepStrictEqual(factsOf(existing), facts) && isDeepStrictEqual(priceText(existing.price), wanted.price);
  if (same) return [];
  throw new DomainError('already_exists', `there is a model '${modelId}' already; change it with PUT`);
};

const changeModel = (ground: Ground, { data }: ChangeModel): readonly CatalogueEvent[] => {
  const changes = news(factsOf(modelOf(ground, data.id)), data.changes);
  return [
    ...(isEmpty(changes)
      ? []
      : [{ type: 'ModelChanged' as const, data: { modelId: data.id, changes, ...noteOf(data) } }]),
    ...(data.price === undefined ? [] : changePrice(ground, data, data.price)),
  ];
};

const changeProvider = ({ now }: Ground, { data }: ChangeProvider): readonly CatalogueEvent[] => {
  const provider = now.catalogue.providers.find(({ code }) => code === data.id);
  if (provider === undefined) {
    throw new DomainError(
      'not_found',
      `there is no provider '${data.id}'; a new one needs an adapter, and so a new build`,
    );
  }
  const changes = news(provider, data.changes);
  return isEmpty(changes) ? [] : [{ type: 'ProviderChanged', data: { code: data.id, changes, ...noteOf(data) } }];
};

const changeTask = ({ now }: Ground, { data }: ChangeTask): readonly CatalogueEvent[] => {
  const { id: task, settings } = data;
  if (isDeepStrictEqual(now.catalogue.tasks[task], settings)) return [];
  return [{ type: 'TaskSettingsChanged', data: { task, settings, ...noteOf(data) } }];
};

const changeSettings = ({ now }: Ground, { data }: ChangeSettings): readonly CatalogueEvent[] => {
  const { maxConcurrentJobs, codexCli } = now.catalogue;
  const changes = news({ maxConcurrentJobs, codexCli }, data.changes);
  return isEmpty(changes) ? [] : [{ type: 'RuntimeConfigChanged', data: { changes, ...noteOf(data) } }];
};

const decideWish = (ground: Ground, command: CatalogueWish): readonly CatalogueEvent[] => {
  switch (command.type) {
    case 'ChangeModelPrice':
      return changePrice(ground, command.data, command.data.price);
    case 'AddModel':
      return addModel(ground, command);
    case 'ChangeModel':
      return changeModel(ground, command);
    case 'ChangeProvider':
      return changeProvider(ground, command);
    case 'ChangeTask':
      return changeTask(ground, command);
    case 'ChangeSettings':
      return changeSettings(ground, command);
    case 'ChangePrompt':
      return changePrompt(ground, command);
    case 'Revert':
      return revert(ground, command);
    default:
      return never(command);
  }
};

const checkRevision = ({ revision }: CatalogueChanges, { ifRevision }: CatalogueWish['data']): void => {
  if (ifRevision === undefined || ifRevision === revision) return;
  throw new DomainError('precondition_failed', 'somebody else changed the catalogue meanwhile; read it and try again', {
    details: { revision },
  });
};

/** Faults that were there before the change do not stand in its way: it may be the one that mends them. */
const checkOffer = ({ build, state, now }: Ground, events: readonly CatalogueEvent[]): void => {
  const before = new Set(offerFaults(now));
  const after = offerOf(build, fold({ evolve: evolveCatalogue }, state, events));
  const faults = offerFaults(after).filter((fault) => !before.has(fault));
  if (faults.length === 0) return;
  throw new DomainError('validation_error', `the catalogue would be inconsistent: ${faults.join('; ')}`, {
    details: { faults },
  });
};

/** Decides changes to what this build offers. A change after which it could not be offered is refused. */
export const catalogueDecider = (build: Offer): Decider<CatalogueChanges, CatalogueCommand, CatalogueEvent> => {
  const book = priceBookOf(build.catalogue);
  return {
    initial: nothingChanged,
    evolve: evolveCatalogue,
    decide: (command, state) => {
      if (command.type === 'PublishPriceBook') {
        if (state.books.has(book.contentHash)) return [];
        return [{ type: 'PriceBookPublished', data: { ...book, at: command.data.at } }];
      }
      checkRevision(state, command.data);
      const ground = { build, state, now: offerOf(build, state) };
      const events = decideWish(ground, command);
      checkOffer(ground, events);
      return events;
    },
  };
};

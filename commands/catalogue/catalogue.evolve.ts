import {
  RUNTIME_SETTINGS,
  type CatalogueEvent,
  type OverriddenKind,
} from '../../src/events/catalogue/catalogue.events.ts';
import type { CatalogueChanges, Override, Part } from './catalogue.state.ts';

type Noted = Readonly<{ at: string; reason: string | null }>;

const partOf = {
  model: 'models',
  provider: 'providers',
  task: 'tasks',
  settings: 'settings',
  prompt: 'prompts',
} as const satisfies Record<OverriddenKind, Part>;

const noted = <T>(value: T, { at, reason }: Noted): Override<T> => ({ value, at, reason });

const withEntry = <T>(
  map: ReadonlyMap<string, Override<T>>,
  key: string,
  value: T,
  note: Noted,
): ReadonlyMap<string, Override<T>> => new Map(map).set(key, noted(value, note));

/** The earlier changes stay where the new ones say nothing. */
const merged = <T extends object>(
  map: ReadonlyMap<string, Override<T>>,
  key: string,
  changes: T,
  note: Noted,
): ReadonlyMap<string, Override<T>> => withEntry(map, key, { ...map.get(key)?.value, ...changes }, note);

/** The state without one override. */
export const without = (state: CatalogueChanges, part: Part, id: string): CatalogueChanges => {
  const rest = new Map<string, unknown>(state[part]);
  rest.delete(id);
  return { ...state, [part]: rest };
};

const withPrice = (state: CatalogueChanges, { type, data }: CatalogueEvent): CatalogueChanges => {
  switch (type) {
    case 'PriceBookPublished':
      return { ...state, books: new Set(state.books).add(data.contentHash) };
    case 'ModelPriceChanged': {
      const { modelId, price, priceVersion } = data;
      return { ...state, prices: withEntry(state.prices, modelId, { price, priceVersion }, data) };
    }
    case 'ModelPriceReverted':
      return without(state, 'prices', data.modelId);
    default:
      return state;
  }
};

const withModel = (state: CatalogueChanges, event: CatalogueEvent): CatalogueChanges => {
  const { type, data } = event;
  switch (type) {
    case 'ModelAdded': {
      const { modelId, facts, price, priceVersion } = data;
      return { ...state, added: withEntry(state.added, modelId, { facts, price, priceVersion }, data) };
    }
    case 'ModelRemoved':
      return (['added', 'models', 'prices'] as const).reduce((rest, part) => without(rest, part, data.modelId), state);
    case 'ModelChanged':
      return { ...state, models: merged(state.models, data.modelId, data.changes, data) };
    default:
      return withPrice(state, event);
  }
};

const withRest = (state: CatalogueChanges, event: CatalogueEvent): CatalogueChanges => {
  const { type, data } = event;
  switch (type) {
    case 'ProviderChanged':
      return { ...state, providers: merged(state.providers, data.code, data.changes, data) };
    case 'TaskSettingsChanged':
      return { ...state, tasks: withEntry(state.tasks, data.task, data.settings, data) };
    case 'RuntimeConfigChanged':
      return { ...state, settings: merged(state.settings, RUNTIME_SETTINGS, data.changes, data) };
    case 'SystemPromptChanged': {
      const { taskType, text, description, version } = data;
      return { ...state, prompts: withEntry(state.prompts, taskType, { text, description, version }, data) };
    }
    case 'CatalogueChangeReverted':
      return without(state, partOf[data.kind], data.id);
    default:
      return withModel(state, event);
  }
};

/** The changes after an event. */
export const evolveCatalogue = (state: CatalogueChanges, event: CatalogueEvent): CatalogueChanges => ({
  ...withRest(state, event),
  revision: state.revision + 1,
});

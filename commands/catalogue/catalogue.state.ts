import type {
  ModelFacts,
  NamedPrice,
  ProviderFacts,
  RuntimeSettings,
} from '../../src/events/catalogue/catalogue.events.ts';
import type { Catalogue, TaskSettings } from '../../src/kernel/catalogue.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import type { SystemPrompt } from '../../src/kernel/system-prompt.ts';

/** What this server offers: a catalogue and the prompts that go with it. */
export type Offer = Readonly<{ catalogue: Catalogue; prompts: readonly SystemPrompt[] }>;

/** A value that takes the place of the build's, since when and why. */
export type Override<T> = Readonly<{ value: T; at: IsoTime; reason: string | null }>;

type Overrides<T> = ReadonlyMap<string, Override<T>>;

export type ChangedPrompt = Pick<SystemPrompt, 'text' | 'description' | 'version'>;

/** Everything that was changed since the build; keys are model ids, provider codes, tasks. */
export type CatalogueChanges = Readonly<{
  /** How many events there were: names this state, and only grows. */
  revision: number;
  /** Content hashes of the price books that are in the log. */
  books: ReadonlySet<string>;
  prices: Overrides<NamedPrice>;
  added: Overrides<NamedPrice & Readonly<{ facts: ModelFacts }>>;
  models: Overrides<Partial<ModelFacts>>;
  providers: Overrides<Partial<ProviderFacts>>;
  tasks: Overrides<TaskSettings>;
  settings: Overrides<Partial<RuntimeSettings>>;
  prompts: Overrides<ChangedPrompt>;
}>;

/** What an override can be of. */
export type Part = Exclude<keyof CatalogueChanges, 'revision' | 'books'>;

/** All parts that can be overridden, in the order in which they are told. */
export const PARTS = [
  'providers',
  'added',
  'models',
  'prices',
  'tasks',
  'settings',
  'prompts',
] as const satisfies readonly Part[];

export const nothingChanged: CatalogueChanges = {
  revision: 0,
  books: new Set(),
  prices: new Map(),
  added: new Map(),
  models: new Map(),
  providers: new Map(),
  tasks: new Map(),
  settings: new Map(),
  prompts: new Map(),
};

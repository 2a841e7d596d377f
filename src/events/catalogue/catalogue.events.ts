import type { Estimation, Model, Provider, TaskSettings, Catalogue } from '../../kernel/catalogue.ts';
import type { Event, IsoTime } from '../../kernel/message.ts';
import type { PriceText } from '../../kernel/price-text.ts';

/** A price and the name that charges know it by. */
export type NamedPrice = Readonly<{ price: PriceText; priceVersion: string }>;

/** Everything about a model but its id and price. */
export type ModelFacts = Omit<Model, 'id' | 'price' | 'priceVersion' | 'estimation'> &
  Readonly<{ estimation: Estimation | null }>;

/** What may be different about a provider; the adapter that speaks to it is code. */
export type ProviderFacts = Omit<Provider, 'id' | 'code'>;

/** What is neither a model nor a task. */
export type RuntimeSettings = Pick<Catalogue, 'maxConcurrentJobs' | 'codexCli'>;

/** Who asked for a change is in the metadata; why, when they said so, here. */
type Change<D> = D & Readonly<{ at: IsoTime; reason: string | null }>;

/**
 * The prices that a build brings, said once for each content, whatever builds run side by side. Together with the price
 * changes it lets every charge be worked out again from the log alone.
 */
export type PriceBookPublished = Event<
  'PriceBookPublished',
  Readonly<{
    book: string;
    contentHash: string;
    prices: readonly (NamedPrice & Readonly<{ modelId: string }>)[];
    at: IsoTime;
  }>
>;

/** Requests that are admitted from now on cost this. */
export type ModelPriceChanged = Event<'ModelPriceChanged', Change<NamedPrice & Readonly<{ modelId: string }>>>;

/** The changed price is taken back; that of the build, or of the model's addition, is in force. Null: no such model. */
export type ModelPriceReverted = Event<
  'ModelPriceReverted',
  Change<Readonly<{ modelId: string; inForce: NamedPrice | null }>>
>;

export type ModelAdded = Event<'ModelAdded', Change<NamedPrice & Readonly<{ modelId: string; facts: ModelFacts }>>>;

/** A model that had been added is gone again. */
export type ModelRemoved = Event<'ModelRemoved', Change<Readonly<{ modelId: string }>>>;

/** What is not named stays as it was. */
type ModelChanged = Event<'ModelChanged', Change<Readonly<{ modelId: string; changes: Partial<ModelFacts> }>>>;

/** What is not named stays as it was. */
type ProviderChanged = Event<'ProviderChanged', Change<Readonly<{ code: string; changes: Partial<ProviderFacts> }>>>;

type TaskSettingsChanged = Event<'TaskSettingsChanged', Change<Readonly<{ task: string; settings: TaskSettings }>>>;

/** What is not named stays as it was. */
type RuntimeConfigChanged = Event<'RuntimeConfigChanged', Change<Readonly<{ changes: Partial<RuntimeSettings> }>>>;

type SystemPromptChanged = Event<
  'SystemPromptChanged',
  Change<Readonly<{ taskType: string; text: string; description: string | null; version: string }>>
>;

/** What a change can be about, besides a price. `id` is a model's id, a provider's code, a task or `runtime`. */
export type OverriddenKind = 'model' | 'provider' | 'task' | 'settings' | 'prompt';

/** All changes to it are taken back: it is as the build has it. */
type CatalogueChangeReverted = Event<'CatalogueChangeReverted', Change<Readonly<{ kind: OverriddenKind; id: string }>>>;

export type CatalogueEvent =
  | PriceBookPublished
  | ModelPriceChanged
  | ModelPriceReverted
  | ModelAdded
  | ModelRemoved
  | ModelChanged
  | ProviderChanged
  | TaskSettingsChanged
  | RuntimeConfigChanged
  | SystemPromptChanged
  | CatalogueChangeReverted;

/** There is one stream, `catalogue-main`. */
export const CATALOGUE = 'catalogue';
export const CATALOGUE_ID = 'main';

/** The id of the one thing of kind `settings`. */
export const RUNTIME_SETTINGS = 'runtime';

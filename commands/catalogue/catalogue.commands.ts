import type {
  ModelFacts,
  OverriddenKind,
  ProviderFacts,
  RuntimeSettings,
} from '../../src/events/catalogue/catalogue.events.ts';
import type { Price, TaskSettings } from '../../src/kernel/catalogue.ts';
import type { Command, IsoTime } from '../../src/kernel/message.ts';

/** A wish to change what is offered. `id` is a model's id, a provider's code, a task, or `runtime`. */
type Wish<T extends string, D = unknown> = Command<
  T,
  D &
    Readonly<{
      id: string;
      at: IsoTime;
      reason: string | null;
      /** Refused with precondition_failed when the catalogue is not at this revision; undefined: at whatever it is. */
      ifRevision: number | undefined;
    }>
>;

/** The build's prices are to be in the log. */
export type PublishPriceBook = Command<'PublishPriceBook', Readonly<{ at: IsoTime }>>;

export type ChangeModelPrice = Wish<'ChangeModelPrice', Readonly<{ price: Price }>>;
export type AddModel = Wish<'AddModel', Readonly<{ facts: ModelFacts; price: Price }>>;
/** What is not named stays as it is. */
export type ChangeModel = Wish<'ChangeModel', Readonly<{ changes: Partial<ModelFacts>; price: Price | undefined }>>;
export type ChangeProvider = Wish<'ChangeProvider', Readonly<{ changes: Partial<ProviderFacts> }>>;
export type ChangeTask = Wish<'ChangeTask', Readonly<{ settings: TaskSettings }>>;
export type ChangeSettings = Wish<'ChangeSettings', Readonly<{ changes: Partial<RuntimeSettings> }>>;
/** An undefined description stays; without a version the next one is taken. */
export type ChangePrompt = Wish<
  'ChangePrompt',
  Readonly<{ text: string; description: string | null | undefined; version: string | undefined }>
>;
/** Back to what the build has; a model that was added goes. */
export type Revert = Wish<'Revert', Readonly<{ kind: OverriddenKind | 'price' }>>;

/** What an administrator may ask for. */
export type CatalogueWish =
  ChangeModelPrice | AddModel | ChangeModel | ChangeProvider | ChangeTask | ChangeSettings | ChangePrompt | Revert;

export type CatalogueCommand = PublishPriceBook | CatalogueWish;

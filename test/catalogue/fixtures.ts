import { loadCatalogue } from '../../infra/catalogue/load-catalogue.ts';
import { loadPrompts } from '../../infra/catalogue/load-prompts.ts';
import type { CatalogueWish } from '../../commands/catalogue/catalogue.commands.ts';
import type { AskedChange, ChangeNote } from '../../commands/catalogue/catalogue-service.ts';
import type { Offer } from '../../commands/catalogue/catalogue.state.ts';
import { factsOf } from '../../commands/catalogue/offer.ts';
import type { Model, Price, Provider, TaskSettings } from '../../src/kernel/catalogue.ts';

export const build: Offer = { catalogue: loadCatalogue({ embedded: true }), prompts: loadPrompts() };

export const at = '2026-11-24T10:00:00.000Z';
export const reason = 'the provider asks for more';

/** A wish of an administrator. */
export const wish = (asked: AskedChange, note: Partial<ChangeNote> = {}): CatalogueWish =>
  ({
    type: asked.type,
    key: 'key',
    data: { ...asked.data, reason, ifRevision: undefined, ...note, at },
  }) as CatalogueWish;

export const ECHO = 'sandbox/echo';
export const MINI = 'openai/gpt-5-mini';

/** A price in pico-USD per token. */
export const dear: Price = { input: 3_000_000n, output: 9_000_000n };

export const dearText = { input: '3000000', output: '9000000' };

export const modelIn = ({ catalogue }: Offer, id: string): Model => catalogue.models.find((model) => model.id === id)!;

export const providerIn = ({ catalogue }: Offer, id: string): Provider =>
  catalogue.providers.find(({ code }) => code === id)!;

export const taskIn = ({ catalogue }: Offer, task: string): TaskSettings => catalogue.tasks[task]!;

/** What is told of a model that nobody has yet. */
export const newcomer = { ...factsOf(modelIn(build, ECHO)), name: 'Newcomer', mappings: { sandbox: 'newcomer' } };

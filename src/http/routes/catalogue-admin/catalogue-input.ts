import { z } from 'zod';
import type { ModelFacts, ProviderFacts, RuntimeSettings } from '../../../events/catalogue/catalogue.events.ts';
import type { Price, TaskSettings } from '../../../kernel/catalogue.ts';

/** Readers of what administrators send: the shapes of the build's own catalogue. */
export type CatalogueInput = Readonly<{
  price: z.ZodType<Price>;
  newModel: z.ZodType<Readonly<{ id: string; price: Price; facts: ModelFacts }>>;
  modelChanges: z.ZodType<Readonly<{ changes: Partial<ModelFacts>; price: Price | undefined }>>;
  providerChanges: z.ZodType<Partial<ProviderFacts>>;
  task: z.ZodType<TaskSettings>;
  settings: z.ZodType<Partial<RuntimeSettings>>;
}>;

const taskName = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be lower case letters, digits and underscores');

/** A path with the name of a task in it. */
export const taskParams = (name: string): z.ZodType<Readonly<Record<string, string>>> => z.object({ [name]: taskName });

/** A system prompt as administrators write it. */
export const promptInput = z.strictObject({
  systemPrompt: z.string().trim().min(1).max(100_000),
  description: z.string().trim().max(500).nullish(),
  version: z
    .string()
    .regex(/^\d{1,6}(\.\d{1,6}){0,2}$/, 'must be numbers with dots, such as 9.1')
    .optional(),
});

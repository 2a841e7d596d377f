import { z } from 'zod';
import { picoFromUsdPerMillion, picoFromUsdPerThousand } from '../../src/kernel/pricing.ts';

/** Money as decimal text: a JSON number would pass through a float on its way. */
const decimal = (read: (text: string) => bigint | undefined) =>
  z.string().transform((text, context) => {
    const pico = read(text);
    if (pico !== undefined) return pico;
    context.addIssue({ code: 'custom', message: 'not a decimal with at most six places' });
    return z.NEVER;
  });

/** USD per million tokens. */
const rate = decimal(picoFromUsdPerMillion);

const rates = {
  input: rate,
  output: rate,
  cacheRead: rate.optional(),
  cacheWrite: rate.optional(),
  reasoning: rate.optional(),
  audioInput: rate.optional(),
  audioOutput: rate.optional(),
  cachedAudioInput: rate.optional(),
  /** USD per thousand searches. */
  webSearch: decimal(picoFromUsdPerThousand).optional(),
};

/** A price in USD, as operators write it. */
export const priceShape = z.strictObject({
  ...rates,
  longContext: z.strictObject({ above: z.int().positive(), ...rates }).optional(),
});

const estimation = z.strictObject({
  inputMultiplier: z.number().positive(),
  inputOffset: z.number(),
  outputMultiplier: z.number().positive(),
  outputOffset: z.number(),
  avgOutputTokens: z.int().positive(),
});

const status = z.enum(['active', 'inactive']).default('active');
const capabilities = z.record(z.string(), z.unknown());

/** A provider. */
export const providerShape = z.strictObject({
  id: z.int(),
  code: z.string().min(1),
  name: z.string().min(1),
  description: z.string().nullable(),
  websiteUrl: z.string().nullable(),
  apiBaseUrl: z.string().nullable(),
  capabilities,
  status,
  disconnect: z.strictObject({ policy: z.enum(['count', 'drain', 'look_up']), limitSeconds: z.int().min(0).max(600) }),
});

/** A model. */
export const modelShape = z.strictObject({
  id: z.string().min(1),
  name: z.string().min(1),
  description: z.string(),
  provider: z.string(),
  modelType: z.enum(['text', 'chat', 'transcription']),
  status,
  contextWindow: z.int().nonnegative(),
  price: priceShape,
  capabilities,
  mappings: z.record(z.string(), z.string().min(1)),
  estimation: estimation.optional(),
});

/** What a kind of task is run with. */
export const taskShape = z.strictObject({
  model: z.string(),
  maxTokens: z.int(),
  temperature: z.number(),
  allowedModels: z.array(z.string()).min(1),
  copyButtons: z.array(z.strictObject({ label: z.string(), content: z.string() })).nullish(),
});

/** What is neither a model nor a task. */
export const settingsShape = z.strictObject({
  maxConcurrentJobs: z.int().positive(),
  codexCli: z.strictObject({
    preferredModel: z.string(),
    miniModel: z.string(),
    fallbackModel: z.string(),
    modelOverrides: z.record(z.string(), z.string()),
    reasoningEffort: z.string(),
    miniReasoningEffort: z.string().nullable(),
  }),
});

/** The shape of catalogue.json. `embedded` is offered only when this machine runs everything itself. */
export const catalogueFile = z.strictObject({
  version: z.string().min(1),
  providers: z.array(providerShape),
  models: z.array(modelShape),
  tasks: z.record(z.string(), taskShape),
  ...settingsShape.shape,
  embedded: z.strictObject({ providers: z.array(providerShape), models: z.array(modelShape) }),
});

export type CatalogueFile = z.infer<typeof catalogueFile>;

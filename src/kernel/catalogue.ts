import type { PicoUsd } from './money.ts';

/**
 * What becomes of an answer that nobody waits for any more. `count`: cancelling stops the provider's meter, and what was
 * said is charged by our own count. `drain`: cancelling stops nothing, so the answer is read to its end and charged
 * exactly. `look_up`: cancelled, then the provider is asked what it counted. The last two for `limitSeconds` at most.
 */
export type Disconnect = Readonly<{ policy: 'count' | 'drain' | 'look_up'; limitSeconds: number }>;

/** A company or machine that runs models. */
export type Provider = Readonly<{
  id: number;
  code: string;
  name: string;
  description: string | null;
  websiteUrl: string | null;
  apiBaseUrl: string | null;
  capabilities: Readonly<Record<string, unknown>>;
  status: 'active' | 'inactive';
  disconnect: Disconnect;
}>;

/**
 * The rates of one tier, in pico-USD per token. Without a rate of their own, cached tokens and sound cost what other
 * input does, reasoning and sound what other output does, and searches nothing.
 */
export type Rates = Readonly<{
  input: PicoUsd;
  output: PicoUsd;
  cacheRead?: PicoUsd;
  cacheWrite?: PicoUsd;
  reasoning?: PicoUsd;
  audioInput?: PicoUsd;
  audioOutput?: PicoUsd;
  cachedAudioInput?: PicoUsd;
  /** Pico-USD for one search of the web by the provider. */
  webSearch?: PicoUsd;
}>;

/** What a model costs. The long tier is for requests with more than `longContextAbove` prompt tokens. */
export type Price = Rates & Readonly<{ longContextAbove?: number; longContext?: Rates }>;

/** How a model's real usage differs from what was counted beforehand. */
export type Estimation = Readonly<{
  inputMultiplier: number;
  inputOffset: number;
  outputMultiplier: number;
  outputOffset: number;
  avgOutputTokens: number;
}>;

export type ModelType = 'text' | 'chat' | 'transcription';

/** A model as clients name it. */
export type Model = Readonly<{
  id: string;
  name: string;
  description: string;
  /** The code of the provider that runs it. */
  provider: string;
  modelType: ModelType;
  status: 'active' | 'inactive';
  /** Tokens; 0 when the model has no such limit. */
  contextWindow: number;
  price: Price;
  /** Names the price on every charge; another price has another version. */
  priceVersion: string;
  capabilities: Readonly<Record<string, unknown>>;
  /** Provider code to the provider's own name of the model. */
  mappings: Readonly<Record<string, string>>;
  estimation: Estimation | undefined;
}>;

export type CopyButton = Readonly<{ label: string; content: string }>;

/** What the desktop runs a kind of task with. */
export type TaskSettings = Readonly<{
  model: string;
  maxTokens: number;
  temperature: number;
  allowedModels: readonly string[];
  copyButtons: readonly CopyButton[] | null;
}>;

/** Settings that the desktop hands to a command-line tool on the user's own machine. */
export type CodexCli = Readonly<{
  preferredModel: string;
  miniModel: string;
  fallbackModel: string;
  modelOverrides: Readonly<Record<string, string>>;
  reasoningEffort: string;
  miniReasoningEffort: string | null;
}>;

/** Everything that is offered, and at what price. Held in memory. */
export type Catalogue = Readonly<{
  version: string;
  providers: readonly Provider[];
  models: readonly Model[];
  tasks: Readonly<Record<string, TaskSettings>>;
  maxConcurrentJobs: number;
  codexCli: CodexCli;
}>;

/** Without these the desktop refuses the whole configuration. */
export const REQUIRED_TASKS = [
  'implementation_plan',
  'implementation_plan_merge',
  'voice_transcription',
  'text_improvement',
  'task_refinement',
  'generic_llm_stream',
  'regex_file_filter',
  'file_relevance_assessment',
  'extended_path_finder',
  'web_search_prompts_generation',
  'web_search_execution',
  'root_folder_selection',
  'video_analysis',
  'streaming',
  'unknown',
] as const;

const WEB_TASKS: ReadonlySet<string> = new Set(['web_search_execution', 'implementation_plan_with_web']);

/** True for the kinds of task that let the model search the web. */
export const isWebTask = (taskType: string): boolean => WEB_TASKS.has(taskType);

/** A model that can be called: active, at an active provider, with a name there. */
export type Resolved = Readonly<{ model: Model; provider: Provider; upstreamModel: string }>;

/** Finds what `modelId` stands for; undefined when it is unknown, inactive or without a name at its provider. */
export const resolveModel = (catalogue: Catalogue, modelId: string): Resolved | undefined => {
  const model = catalogue.models.find(({ id }) => id === modelId);
  if (model?.status !== 'active') return undefined;
  const provider = catalogue.providers.find(({ code }) => code === model.provider);
  const upstreamModel = model.mappings[model.provider];
  if (provider?.status !== 'active' || upstreamModel === undefined) return undefined;
  return { model, provider, upstreamModel };
};

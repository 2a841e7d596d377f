import type { PicoUsd } from './money.ts';

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
}>;

/** The rates of one tier, in pico-USD per token. An absent cache rate: cached tokens cost what others do. */
export type Rates = Readonly<{
  input: PicoUsd;
  output: PicoUsd;
  cacheRead?: PicoUsd;
  cacheWrite?: PicoUsd;
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

const DEEP_RESEARCH = /deep-research/;
const CHATS = /(?:^|\/)gpt-5(?:\.\d)?-chat/;
const REASONING = /(?:^|\/)(?:o\d|gpt-5)/;

const UP_TO_HIGH = ['low', 'medium', 'high'] as const;

/** The efforts that a model knows, least first, by its name; the more special names first. */
const EFFORTS: readonly (readonly [RegExp, readonly string[]])[] = [
  // The research models know one effort only.
  [DEEP_RESEARCH, ['medium']],
  [/(?:^|\/)gpt-5\.[2-9]-pro/, ['medium', 'high', 'xhigh']],
  [/(?:^|\/)gpt-5-pro/, ['high']],
  [/(?:^|\/)gpt-5\.(?:[2-9]-codex|1-codex-max)/, [...UP_TO_HIGH, 'xhigh']],
  [/(?:^|\/)gpt-5(?:\.1)?-codex/, UP_TO_HIGH],
  [/(?:^|\/)gpt-5\.[2-9]/, ['none', ...UP_TO_HIGH, 'xhigh']],
  [/(?:^|\/)gpt-5\.1/, ['none', ...UP_TO_HIGH]],
  [/(?:^|\/)gpt-5/, ['minimal', ...UP_TO_HIGH]],
  [/(?:^|\/)o\d/, UP_TO_HIGH],
];

/** True for models that think before they answer; while they do they refuse sampling parameters. */
export const reasons = (model: string): boolean => REASONING.test(model) && !CHATS.test(model);

/** True for models that search by themselves and refuse to run without a search tool. */
export const researches = (model: string): boolean => DEEP_RESEARCH.test(model);

/** The efforts that the model can be told, least first; none when it does not reason. */
export const effortsOf = (model: string): readonly string[] =>
  reasons(model) ? (EFFORTS.find(([pattern]) => pattern.test(model))?.[1] ?? []) : [];

/** The most effort that the model accepts. */
export const mostEffort = (model: string): string => effortsOf(model).at(-1) ?? 'high';

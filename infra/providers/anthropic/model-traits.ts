/** Families by the start of their names, the more special ones first, each with the most tokens that it writes. */
const LONGEST: readonly (readonly [RegExp, number])[] = [
  [/^claude-opus-4(?:-1)?(?:-\d{8})?$/, 32_000],
  [/^claude-(?:opus|sonnet|haiku)-4|^claude-3-7/, 64_000],
  [/^claude-3-5/, 8_192],
  [/^claude-3-/, 4_096],
];

/** A model that is newer than this list writes at least as much. */
const LONGEST_OF_OTHERS = 32_000;

/** From 4.1 on: `claude-opus-4-1`, `claude-sonnet-4-5-20250929`; a date is no version. */
const VERSION_4_X = /^claude-(?:opus|sonnet|haiku)-4-(\d{1,2})(?:-|$)/;

const minorOf = (model: string): number => Number(VERSION_4_X.exec(model)?.[1] ?? 0);

/** The most tokens that the model writes, thinking included; undefined when it is not known. */
export const longestAnswer = (model: string): number | undefined =>
  LONGEST.find(([pattern]) => pattern.test(model))?.[1];

/** The limit of a request that has none; the API insists on one. */
export const defaultMaxTokens = (model: string): number => longestAnswer(model) ?? LONGEST_OF_OTHERS;

/** True for models that take temperature or top_p, not both. */
export const takesOneSampler = (model: string): boolean => minorOf(model) >= 1;

/** True for models that keep to a JSON schema. */
export const keepsToSchemas = (model: string): boolean =>
  minorOf(model) >= 5 || (minorOf(model) >= 1 && model.startsWith('claude-opus'));

/** True for models that think before they answer when they are told to. */
export const thinks = (model: string): boolean => /^claude-(?:3-7|(?:opus|sonnet|haiku)-[4-9])/.test(model);

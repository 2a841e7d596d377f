/** How a model is told to think: in tokens, in levels (which also take tokens), or not at all. */
export type Thinking = 'budget' | 'levels' | 'none';

const LEVELS = /^gemini-(?:[3-9]|\d{2})/;
const BUDGET = /^gemini-2\.5-(?:pro|flash)(?!-image)/;

export const thinkingOf = (model: string): Thinking => {
  if (LEVELS.test(model)) return 'levels';
  return BUDGET.test(model) ? 'budget' : 'none';
};

/** Tokens that the model can think with at least and at most; 0 turns it off. */
export const thinkingRange = (model: string): readonly [least: number, most: number] =>
  model.startsWith('gemini-2.5-flash') ? [0, 24_576] : [128, 32_768];

/** The levels that the model knows, least first. */
export const thinkingLevels = (model: string): readonly string[] => {
  if (/flash/.test(model)) return ['minimal', 'low', 'medium', 'high'];
  return /^gemini-3-pro/.test(model) ? ['low', 'high'] : ['low', 'medium', 'high'];
};

/** True for models that answer in JSON and call tools in one request. */
export const mixesToolsAndJson = (model: string): boolean => LEVELS.test(model);

/** True for models that insist on the signature of their own earlier calls. */
export const signsCalls = (model: string): boolean => LEVELS.test(model);

/** The most tokens that any of these models writes. */
export const LONGEST_ANSWER = 65_536;

const REASONING = /(?:^|\/)(?:o\d|gpt-5)/;
const DEEP_RESEARCH = /deep-research/;
const VERY_HIGH_EFFORT = /(?:^|\/)gpt-5\.[2-9]/;

/** True for models that think before they answer; they refuse sampling parameters. */
export const reasons = (model: string): boolean => REASONING.test(model);

/** True for models that search by themselves and refuse to run without a search tool. */
export const researches = (model: string): boolean => DEEP_RESEARCH.test(model);

/** The most effort that the model accepts. */
export const mostEffort = (model: string): 'xhigh' | 'high' | 'medium' => {
  // The research models know one effort only.
  if (researches(model)) return 'medium';
  return VERY_HIGH_EFFORT.test(model) ? 'xhigh' : 'high';
};

import type { UpstreamRequest } from '../../../src/kernel/upstream.ts';
import { refuse } from '../shared/refusals.ts';
import { thinkingLevels, thinkingOf, thinkingRange } from './model-traits.ts';

/** What a model may think when nobody says how much. */
const DEFAULT_BUDGET = 10_000;

const BY_EFFORT: Readonly<Record<string, number>> = {
  none: 0,
  minimal: 1_024,
  low: 1_024,
  medium: 8_192,
  high: 24_576,
};

const checkedBudget = (model: string, budget: number): number => {
  const [least, most] = thinkingRange(model);
  if (budget >= least && budget <= most) return budget;
  if (budget === 0) return refuse('reasoning_effort', `${model} cannot leave reasoning out; ask for less of it`);
  return refuse(
    'reasoning.max_tokens',
    `${model} reasons with ${least} to ${most} tokens; change reasoning.max_tokens`,
  );
};

const levelOf = (model: string, effort: string): string =>
  thinkingLevels(model).includes(effort)
    ? effort
    : refuse(
        'reasoning_effort',
        `${model} has no reasoning effort '${effort}'; use ${thinkingLevels(model).join(', ')}`,
      );

const budgetOf = (model: string, effort: string): number => {
  const budget =
    (Object.hasOwn(BY_EFFORT, effort) ? BY_EFFORT[effort] : undefined) ??
    refuse('reasoning_effort', `google has no reasoning effort '${effort}'; use ${Object.keys(BY_EFFORT).join(', ')}`);
  return checkedBudget(model, budget);
};

/** Thoughts count as output here: without a word of the caller they take no more than half of its limit. */
const defaultBudget = ({ model, maxTokens }: UpstreamRequest): number =>
  Math.max(thinkingRange(model)[0], Math.min(DEFAULT_BUDGET, Math.floor((maxTokens ?? Infinity) / 2)));

/** How much the model is to think; undefined for models that do not. Thoughts are shown when they were asked for. */
export const thinkingConfig = (request: UpstreamRequest): object | undefined => {
  const { model, reasoning } = request;
  const thinking = thinkingOf(model);
  if (reasoning === undefined) return thinking === 'none' ? undefined : { thinkingBudget: defaultBudget(request) };
  if (thinking === 'none') {
    return reasoning.effort === 'none'
      ? undefined
      : refuse('reasoning_effort', `${model} does not reason; leave reasoning out`);
  }
  const { effort, budgetTokens } = reasoning;
  const shown = effort === 'none' ? {} : { includeThoughts: true };
  if (budgetTokens !== undefined) return { ...shown, thinkingBudget: checkedBudget(model, budgetTokens) };
  if (effort === undefined) return { ...shown, thinkingBudget: defaultBudget(request) };
  return thinking === 'levels'
    ? { ...shown, thinkingLevel: levelOf(model, effort) }
    : { ...shown, thinkingBudget: budgetOf(model, effort) };
};

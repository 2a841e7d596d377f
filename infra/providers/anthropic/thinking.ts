import type { UpstreamRequest } from '../../../src/kernel/upstream.ts';
import { refuse } from '../shared/refusals.ts';
import { defaultMaxTokens, longestAnswer } from './model-traits.ts';

/** The share of the output limit that an effort may spend on thinking. */
const SHARES: Readonly<Record<string, number>> = { minimal: 0.1, low: 0.2, medium: 0.5, high: 0.8, xhigh: 0.95 };

const LEAST = 1_024;
const MOST_BY_EFFORT = 32_000;

/** The output limit of a request: what it asks for, never more than the model can write. */
export const maxTokensOf = ({ model, maxTokens }: UpstreamRequest): number =>
  Math.min(maxTokens ?? defaultMaxTokens(model), longestAnswer(model) ?? Infinity);

const budgetByEffort = (effort: string, limit: number): number => {
  const share =
    (Object.hasOwn(SHARES, effort) ? SHARES[effort] : undefined) ??
    refuse(
      'reasoning_effort',
      `anthropic has no reasoning effort '${effort}'; use none, ${Object.keys(SHARES).join(', ')}`,
    );
  return Math.max(LEAST, Math.min(Math.floor(limit * share), MOST_BY_EFFORT));
};

/** Tokens that the model may spend on thinking; undefined when it is not to think. Throws DomainError. */
export const thinkingBudget = (request: UpstreamRequest): number | undefined => {
  const { reasoning } = request;
  if (reasoning === undefined || reasoning.effort === 'none') return undefined;
  const limit = maxTokensOf(request);
  const budget = reasoning.budgetTokens ?? budgetByEffort(reasoning.effort ?? 'medium', limit);
  if (budget < LEAST)
    return refuse('reasoning.max_tokens', `anthropic thinks with ${LEAST} tokens or more; raise reasoning.max_tokens`);
  return budget < limit
    ? budget
    : refuse(
        'max_tokens',
        `max_tokens (${limit}) must be more than the ${budget} tokens for reasoning; raise it or reason less`,
      );
};

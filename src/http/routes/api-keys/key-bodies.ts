import { z } from 'zod';
import { API_KEY_SCOPES, type ApiKeyScope } from '../../../events/api-key/api-key.events.ts';
import { BUDGET_PERIODS, type Budget } from '../../../kernel/budget.ts';
import { microFromUsdText } from '../../../kernel/money.ts';

/** What a key is good for when nothing is said: what tools for language models do. */
const USUAL_SCOPES: readonly ApiKeyScope[] = ['chat', 'audio', 'models'];

const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), 'must be plain text');

/** A number is read by the digits that it is written with: 0.1 is a tenth, exactly. */
const usd = z.union([z.string(), z.number()]).transform((given, context) => {
  const amount = microFromUsdText(String(given));
  if (amount !== undefined && amount >= 0n) return amount;
  context.addIssue({ code: 'custom', message: 'must be an amount in USD with at most six decimals, as "12.50"' });
  return z.NEVER;
});

const budget = z
  .strictObject({ limitUsd: usd, period: z.enum(BUDGET_PERIODS) })
  .transform(({ limitUsd: limit, period }): Budget => ({ limit, period }))
  .nullable();

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());

/** What a new key is to be. A member that is not known is refused: a misspelt budget would be none. */
export const createBody = z.strictObject({
  name,
  scopes: z
    .array(z.enum(API_KEY_SCOPES))
    .min(1)
    .transform((scopes) => [...new Set(scopes)])
    .default([...USUAL_SCOPES]),
  budget: budget.default(null),
  expiresAt: instant.nullable().default(null),
});

/** Null: no budget. */
export const budgetBody = z.strictObject({ budget });

import { z } from 'zod';
import { microFromUsdText } from '../../../kernel/money.ts';
import { isUuid } from '../../../kernel/ids.ts';

/** An amount in USD of either sign. A number is read by the digits that it is written with: 0.1 is a tenth, exactly. */
export const signedUsd = z.union([z.string(), z.number()]).transform((given, context) => {
  const amount = microFromUsdText(String(given));
  if (amount !== undefined) return { text: String(given), amount };
  context.addIssue({ code: 'custom', message: 'must be an amount in USD with at most six decimals, as "12.50"' });
  return z.NEVER;
});

/** An amount in USD that is not negative. */
export const usd = signedUsd.transform(({ amount }, context) => {
  if (amount >= 0n) return amount;
  context.addIssue({ code: 'custom', message: 'must not be negative' });
  return z.NEVER;
});

/** A user's id, in lower case. */
export const userId = z
  .string()
  .refine(isUuid, 'must be the id of a user')
  .transform((text) => text.toLowerCase());

/** A short plain text. */
export const words = z
  .string()
  .trim()
  .min(1)
  .max(500)
  .refine((text) => text.isWellFormed() && !/\p{Cc}/u.test(text), 'must be plain text');

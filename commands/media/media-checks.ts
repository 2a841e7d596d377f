import type { Price } from '../../src/kernel/catalogue.ts';
import { isoOf } from '../../src/kernel/clock.ts';
import { contentDigest } from '../../src/kernel/digest.ts';
import { DomainError, type ErrorType } from '../../src/kernel/errors.ts';
import type { RequestKey } from '../completions/plan.ts';
import { available } from '../credits/credits.lots.ts';
import type { MediaDeps, MediaOrder } from './media-order.ts';

/** Throws DomainError `credit_insufficient` when there is nothing to pay with at all. Free work needs nothing. */
export const refuseWithoutCredit = async (
  { credits, clock }: MediaDeps,
  userId: string,
  { input, output }: Price,
): Promise<void> => {
  if (input === 0n && output === 0n) return;
  const now = isoOf(clock());
  if (available(await credits.state(userId, { cached: true }), now) > 0n) return;
  if (available(await credits.state(userId), now) > 0n) return;
  throw new DomainError('credit_insufficient', 'there is no credit left; buy credits to go on');
};

/** The text without space around it; undefined when nothing is left. */
export const textOf = (text: string | undefined): string | undefined => {
  const trimmed = text?.trim();
  return trimmed === undefined || trimmed === '' ? undefined : trimmed;
};

const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d{1,2})?$/i;

/** A decimal number; undefined for a blank text. Throws a DomainError of the type for anything else. */
export const numberOf = (field: string, text: string | undefined, refusal: ErrorType): number | undefined => {
  const trimmed = textOf(text);
  if (trimmed === undefined) return undefined;
  const value = DECIMAL.test(trimmed) ? Number(trimmed) : NaN;
  if (Number.isFinite(value)) return value;
  throw new DomainError(refusal, `${field} must be a number`);
};

/** What makes two orders the same: the key, all texts and the content of the file. None without a key. */
export const requestKeyOf = ({ key, form, streamed }: MediaOrder, what: string): Readonly<{ key?: RequestKey }> => {
  if (key === undefined) return {};
  const { file, texts } = form;
  return { key: { value: key, digest: contentDigest([what, streamed, texts, file?.name, file?.sha256]) } };
};

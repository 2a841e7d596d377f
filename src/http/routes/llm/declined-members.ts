import { z } from 'zod';

const only = (asksNothing: (value: unknown) => boolean, detail: string) =>
  z
    .unknown()
    .refine((value) => value === null || asksNothing(value), detail)
    .optional();

const never = (): boolean => false;
const isEmpty = (value: unknown): boolean => Object.keys(Object(value) as object).length === 0;
const oneOf =
  (...values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);
const isTextOnly = (value: unknown): boolean => Array.isArray(value) && value.every((kind) => kind === 'text');

const LEAVE_OUT = 'cannot be done here; leave it out';

/**
 * What bodies of this kind know elsewhere, and what would change the answer: it is refused, unless it asks for nothing.
 * Other members that nobody knows mean nothing.
 */
export const declined = {
  audio: only(never, 'answers are text; leave it out'),
  function_call: only(never, 'is not known; use tool_choice'),
  functions: only(isEmpty, 'is not known; use tools'),
  logit_bias: only(isEmpty, LEAVE_OUT),
  logprobs: only(oneOf(false), LEAVE_OUT),
  min_p: only(oneOf(0), LEAVE_OUT),
  modalities: only(isTextOnly, 'answers are text; leave it out'),
  plugins: only(isEmpty, LEAVE_OUT),
  prediction: only(never, LEAVE_OUT),
  repetition_penalty: only(oneOf(1), LEAVE_OUT),
  service_tier: only(oneOf('auto', 'default'), "only 'auto' and 'default' can be had"),
  thinking: only(never, 'is not known; use reasoning'),
  top_a: only(oneOf(0), LEAVE_OUT),
  top_logprobs: only(oneOf(0), LEAVE_OUT),
  verbosity: only(oneOf('medium'), 'say in the prompt how long the answer is to be'),
  web_search_options: only(never, 'is not known; use task_type'),
};

/** A member that bodies of this kind know elsewhere and no provider here can be told: it would change the answer. */
export type Declined = Readonly<{
  /** True for a value that asks for nothing, which is welcome. */
  asksNothing: (value: unknown) => boolean;
  /** The way out. */
  instead: string;
}>;

const LEAVE_OUT = 'leave it out';

const never = (): boolean => false;

/** What asks for nothing at all: an empty list or object. */
const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

/** A member of which only these values are possible. */
export const only = (instead: string, ...values: readonly unknown[]): Declined => ({
  asksNothing: (value) => values.includes(value),
  instead,
});

/** A member that may be sent when it is empty. */
export const onlyEmpty = (instead = LEAVE_OUT): Declined => ({ asksNothing: isEmpty, instead });

/** A member of which no value is possible. */
export const none = (instead = LEAVE_OUT): Declined => ({ asksNothing: never, instead });

/** What OpenAI has of these, whoever sends it. */
export const declined = {
  audio: none('answers are text'),
  function_call: none("use 'tool_choice'"),
  functions: onlyEmpty("use 'tools'"),
  logit_bias: onlyEmpty(),
  logprobs: only(LEAVE_OUT, false),
  modalities: {
    asksNothing: (value) => Array.isArray(value) && value.every((kind) => kind === 'text'),
    instead: 'answers are text',
  },
  prediction: none(),
  service_tier: only("only 'auto' and 'default' are possible", 'auto', 'default'),
  top_logprobs: only(LEAVE_OUT, 0),
  verbosity: only('say in the prompt how long the answer is to be', 'medium'),
  web_search_options: none(),
} satisfies Readonly<Record<string, Declined>>;

/** True when a value of such a member asks for something. */
export const asksFor = ({ asksNothing }: Declined, value: unknown): boolean =>
  value !== undefined && value !== null && !asksNothing(value);

/** What to tell then, after the member's name. */
export const declining = ({ instead }: Declined): string => `is not supported here; ${instead}`;

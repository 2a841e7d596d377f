import { refuseParam } from './refuse-param.ts';

/** A parameter of OpenAI's that no provider here can do: the values that ask for nothing, and the way out. */
type Unsupported = Readonly<{ asksNothing: (value: unknown) => boolean; instead: string }>;

const never = (): boolean => false;

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0;

const oneOf =
  (...values: readonly unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value);

const LEAVE_OUT = 'leave it out';

const UNSUPPORTED: Readonly<Record<string, Unsupported>> = {
  audio: { asksNothing: never, instead: 'answers are text' },
  function_call: { asksNothing: never, instead: "use 'tool_choice'" },
  functions: { asksNothing: never, instead: "use 'tools'" },
  logit_bias: { asksNothing: isEmpty, instead: LEAVE_OUT },
  logprobs: { asksNothing: oneOf(false), instead: LEAVE_OUT },
  modalities: {
    asksNothing: (value) => Array.isArray(value) && value.length === 1 && value[0] === 'text',
    instead: 'answers are text',
  },
  moderation: { asksNothing: never, instead: LEAVE_OUT },
  prediction: { asksNothing: never, instead: LEAVE_OUT },
  prompt_cache_options: { asksNothing: isEmpty, instead: LEAVE_OUT },
  prompt_cache_retention: { asksNothing: oneOf('in_memory', 'in-memory'), instead: "only 'in_memory' is possible" },
  service_tier: { asksNothing: oneOf('auto', 'default'), instead: "only 'auto' and 'default' are possible" },
  top_logprobs: { asksNothing: oneOf(0), instead: LEAVE_OUT },
  verbosity: { asksNothing: oneOf('medium'), instead: 'say in the prompt how long the answer is to be' },
  web_search_options: { asksNothing: never, instead: LEAVE_OUT },
};

/** Known, and without any effect on the answer: nothing is stored, and caches are kept apart by user anyway. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set(['metadata', 'prompt_cache_key', 'safety_identifier', 'store']);

/** Refuses what is not known at all, and what is known but cannot be done. `known` are the parameters that are read. */
export const refuseUnsupported = (
  body: Readonly<Record<string, unknown>>,
  known: Readonly<Record<string, unknown>>,
): void => {
  for (const [param, value] of Object.entries(body)) {
    if (Object.hasOwn(known, param) || WITHOUT_EFFECT.has(param)) continue;
    const unsupported = Object.hasOwn(UNSUPPORTED, param) ? UNSUPPORTED[param] : undefined;
    if (unsupported === undefined) return refuseParam(param, 'unknown_parameter', `Unknown parameter: '${param}'.`);
    if (value === null || unsupported.asksNothing(value)) continue;
    refuseParam(param, 'unsupported_parameter', `'${param}' is not supported here; ${unsupported.instead}.`);
  }
};

import { asksFor, declined, declining, none, only, onlyEmpty, type Declined } from '../llm/declined-members.ts';
import { refuseParam } from './refuse-param.ts';

const UNSUPPORTED: Readonly<Record<string, Declined>> = {
  ...declined,
  moderation: none(),
  prompt_cache_options: onlyEmpty(),
  prompt_cache_retention: only("only 'in_memory' is possible", 'in_memory', 'in-memory'),
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
    if (asksFor(unsupported, value)) {
      refuseParam(param, 'unsupported_parameter', `'${param}' ${declining(unsupported)}.`);
    }
  }
};

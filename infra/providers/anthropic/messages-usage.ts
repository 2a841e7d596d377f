import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import { countOf, objectOf, type JsonObject } from '../shared/json-members.ts';

/** What a later block says stands; what it leaves out is as the earlier one said. */
export const mergedUsage = (early: JsonObject, late: JsonObject): JsonObject => ({
  ...early,
  ...Object.fromEntries(Object.entries(late).filter(([, value]) => value !== null && value !== undefined)),
});

/**
 * A usage block as an event; undefined when it is missing. Cached tokens stand beside `input_tokens`, thinking inside
 * `output_tokens`. The output of an early block is a placeholder, so none of it is taken.
 */
export const messagesUsage = (raw: JsonObject, source: 'early' | 'final'): UpstreamEvent | undefined => {
  const input = countOf(raw['input_tokens']);
  const output = source === 'early' ? 0 : countOf(raw['output_tokens']);
  if (input === undefined || output === undefined) return undefined;
  const thinking = countOf(objectOf(raw['output_tokens_details'])['thinking_tokens']) ?? 0;
  const outputReasoning = Math.min(output, thinking);
  return {
    type: 'usage',
    usage: {
      inputUncached: input,
      inputCachedRead: countOf(raw['cache_read_input_tokens']) ?? 0,
      inputCacheWrite: countOf(raw['cache_creation_input_tokens']) ?? 0,
      outputVisible: output - outputReasoning,
      outputReasoning,
      source,
      complete: source === 'final',
    },
    raw,
  };
};

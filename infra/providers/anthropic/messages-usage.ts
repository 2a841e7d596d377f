import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import { objectOf, type JsonObject } from '../shared/json-members.ts';
import { tokensOf, usageEvent } from '../shared/usage-split.ts';

/** What a later block says stands; what it leaves out is as the earlier one said. */
export const mergedUsage = (early: JsonObject, late: JsonObject): JsonObject => ({
  ...early,
  ...Object.fromEntries(Object.entries(late).filter(([, value]) => value !== null && value !== undefined)),
});

/** The output that stands at the start is a placeholder: a later block that has none must not take it for its own. */
export const withoutOutput = ({
  output_tokens: _output,
  output_tokens_details: _details,
  ...rest
}: JsonObject): JsonObject => rest;

/**
 * A usage block as an event; undefined when it is missing. Cached tokens stand beside `input_tokens`, thinking inside
 * `output_tokens`. The output of an early block is a placeholder, so none of it is taken.
 */
export const messagesUsage = (raw: JsonObject, source: 'early' | 'final'): UpstreamEvent | undefined => {
  const input = tokensOf(raw['input_tokens']);
  const output = source === 'early' ? 0 : tokensOf(raw['output_tokens']);
  if (input === undefined || output === undefined) return undefined;
  const cachedRead = tokensOf(raw['cache_read_input_tokens']) ?? 0;
  const cacheWrite = tokensOf(raw['cache_creation_input_tokens']) ?? 0;
  const counted = {
    input: input + cachedRead + cacheWrite,
    cachedRead,
    cacheWrite,
    output,
    reasoning: tokensOf(objectOf(raw['output_tokens_details'])['thinking_tokens']),
    webSearches: tokensOf(objectOf(raw['server_tool_use'])['web_search_requests']),
    source,
    complete: source === 'final',
  };
  return usageEvent(counted, raw);
};

import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import { countOf, objectOf } from '../shared/json-members.ts';

/**
 * A usage block as an event; undefined when it is missing. In a block that is there, a count that is not is zero. Counts
 * are cumulative: until the answer has ended they are early. What the provider's own tools read stands beside the
 * prompt, thoughts stand beside the answer, cached tokens inside the prompt.
 */
export const generateUsage = (raw: unknown, ended: boolean): UpstreamEvent | undefined => {
  if (raw === undefined || raw === null) return undefined;
  const block = objectOf(raw);
  const count = (name: string): number => countOf(block[name]) ?? 0;
  const input = count('promptTokenCount') + count('toolUsePromptTokenCount');
  const inputCachedRead = Math.min(input, count('cachedContentTokenCount'));
  return {
    type: 'usage',
    usage: {
      inputUncached: input - inputCachedRead,
      inputCachedRead,
      inputCacheWrite: 0,
      outputVisible: count('candidatesTokenCount'),
      outputReasoning: count('thoughtsTokenCount'),
      source: ended ? 'final' : 'early',
      complete: ended,
    },
    raw,
  };
};

import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import { listOf, objectOf } from '../shared/json-members.ts';
import { tokensOf, usageEvent } from '../shared/usage-split.ts';

/** The tokens of sound in a list of counts by modality. */
const soundIn = (details: unknown): number =>
  listOf(details)
    .map(objectOf)
    .filter(({ modality }) => modality === 'AUDIO')
    .reduce((sum, { tokenCount }) => sum + (tokensOf(tokenCount) ?? 0), 0);

/**
 * A usage block as an event; undefined when it is missing. In a block that is there, a count that is not is zero. Counts
 * are cumulative: until the answer has ended they are early. What the provider's own tools read stands beside the
 * prompt, thoughts stand beside the answer, cached tokens inside the prompt.
 */
export const generateUsage = (raw: unknown, ended: boolean): UpstreamEvent | undefined => {
  if (raw === undefined || raw === null) return undefined;
  const block = objectOf(raw);
  const count = (name: string): number => tokensOf(block[name]) ?? 0;
  const input = count('promptTokenCount') + count('toolUsePromptTokenCount');
  const thoughts = count('thoughtsTokenCount');
  const counted = {
    input,
    cachedRead: count('cachedContentTokenCount'),
    audio: soundIn(block['promptTokensDetails']) + soundIn(block['toolUsePromptTokensDetails']),
    audioCached: soundIn(block['cacheTokensDetails']),
    output: count('candidatesTokenCount') + thoughts,
    reasoning: thoughts,
    audioOutput: soundIn(block['candidatesTokensDetails']),
    source: ended ? ('final' as const) : ('early' as const),
    complete: ended,
  };
  return usageEvent(counted, raw);
};

import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import { objectOf } from '../shared/json-members.ts';
import { tokensOf, usageEvent } from '../shared/usage-split.ts';

/** What a second of sound counts as where nobody counts tokens. */
const TOKENS_A_SECOND = 10;

/** Some models tell how long they listened and no tokens: that is all of the prompt, and nothing of the answer. */
const fromDuration = (raw: unknown): UpstreamEvent | undefined => {
  const { seconds } = objectOf(raw);
  if (typeof seconds !== 'number' || !(seconds >= 0)) return undefined;
  const sound = Math.floor(seconds) * TOKENS_A_SECOND;
  return usageEvent({ input: sound, audio: sound, output: 0, source: 'early', complete: false }, raw);
};

/** A transcription's usage block as an event; undefined when it is missing or makes no sense. */
export const transcriptionUsage = (raw: unknown): UpstreamEvent | undefined => {
  const block = objectOf(raw);
  if (block['type'] === 'duration') return fromDuration(raw);
  const input = tokensOf(block['input_tokens']);
  const output = tokensOf(block['output_tokens']);
  if (input === undefined || output === undefined) return undefined;
  const audio = tokensOf(objectOf(block['input_token_details'])['audio_tokens']);
  return usageEvent({ input, audio, output, source: 'final', complete: true }, raw);
};

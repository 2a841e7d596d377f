/**
 * What one answer used, in one form for all providers. The classes do not overlap: every token is in exactly one, so
 * that a price a class and a sum give the cost. `null` means that the provider did not say, which is not zero.
 */
export type Usage = Readonly<{
  inputUncached: number;
  inputCachedRead: number;
  inputCacheWrite: number;
  outputVisible: number;
  outputReasoning: number;
  /** Tokens of sound in the prompt, not in `inputUncached`. Like all optional members, absent when there were none. */
  inputAudio?: number;
  /** Tokens of sound that were read from the provider's cache, not in `inputCachedRead`. */
  inputAudioCached?: number;
  /** Tokens of sound in the answer, not in `outputVisible`. */
  outputAudio?: number;
  /** Searches of the web that the provider made for this answer. */
  webSearches?: number;
  /** What the provider says that the answer cost it, in USD as a plain decimal. Kept for comparison, never charged. */
  providerCost?: string;
  /**
   * Where the numbers come from: the provider's last word, its first word, our own count, a later look-up at the
   * provider, an operator's correction.
   */
  source: 'final' | 'early' | 'counted' | 'looked_up' | 'operator';
  /** False when the answer was cut, so that the numbers cover the part that was produced. */
  complete: boolean;
}>;

/** Input tokens that were read anew, of text and of sound. */
export const uncachedTokens = ({ inputUncached, inputAudio = 0 }: Usage): number => inputUncached + inputAudio;

/** Input tokens that were read from the provider's cache, of text and of sound. */
export const cachedTokens = ({ inputCachedRead, inputAudioCached = 0 }: Usage): number =>
  inputCachedRead + inputAudioCached;

/** Output tokens that the caller is given, as text and as sound. */
export const visibleTokens = ({ outputVisible, outputAudio = 0 }: Usage): number => outputVisible + outputAudio;

/** All input tokens, cached ones and sound included: what clients call prompt tokens. */
export const promptTokens = (usage: Usage): number =>
  uncachedTokens(usage) + cachedTokens(usage) + usage.inputCacheWrite;

/** All output tokens, reasoning and sound included: what clients call completion tokens. */
export const completionTokens = (usage: Usage): number => visibleTokens(usage) + usage.outputReasoning;

/** Why an answer ended, in the words of the wire. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'error';

/** Who ended a request. */
export type EndedBy = 'provider' | 'client' | 'cancel' | 'credit' | 'shutdown' | 'sweeper';

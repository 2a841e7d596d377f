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
  /** Where the numbers come from: the provider's last word, its first word, our own count, a later look-up. */
  source: 'final' | 'early' | 'counted' | 'looked_up';
  /** False when the answer was cut, so that the numbers cover the part that was produced. */
  complete: boolean;
}>;

/** All input tokens, cached ones included: what clients call prompt tokens. */
export const promptTokens = (usage: Usage): number =>
  usage.inputUncached + usage.inputCachedRead + usage.inputCacheWrite;

/** All output tokens, reasoning included: what clients call completion tokens. */
export const completionTokens = (usage: Usage): number => usage.outputVisible + usage.outputReasoning;

/** Why an answer ended, in the words of the wire. */
export type FinishReason = 'stop' | 'length' | 'tool_calls' | 'content_filter' | 'error';

/** Who ended a request. */
export type EndedBy = 'provider' | 'client' | 'cancel' | 'credit' | 'shutdown' | 'sweeper';

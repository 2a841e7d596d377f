import { completionTokens, promptTokens, type Usage } from '../../../kernel/usage.ts';

/** Usage as OpenAI tells it; zeros when nothing was used. */
export const v1Usage = (usage: Usage | undefined): object => {
  const prompt = usage === undefined ? 0 : promptTokens(usage);
  const completion = usage === undefined ? 0 : completionTokens(usage);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: usage?.inputCachedRead ?? 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage?.outputReasoning ?? 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
};

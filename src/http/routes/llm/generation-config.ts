import { z } from 'zod';
import type { ChatBody } from './chat-body.ts';

/** Gemini's own block of settings, in its own names. What it says goes before the body's other members. */
export const generationConfig = z
  .strictObject({
    temperature: z.number().min(0).max(2).nullish(),
    topP: z.number().min(0).max(1).nullish(),
    topK: z.int().min(0).nullish(),
    maxOutputTokens: z.int().min(1).nullish(),
    stopSequences: z.array(z.string()).max(16).nullish(),
    seed: z.int().nullish(),
    presencePenalty: z.number().min(-2).max(2).nullish(),
    frequencyPenalty: z.number().min(-2).max(2).nullish(),
    candidateCount: z.literal(1, 'one answer is all that can be asked for').nullish(),
    responseMimeType: z.enum(['text/plain', 'application/json']).nullish(),
    thinkingConfig: z
      .strictObject({
        thinkingBudget: z.int().min(0).nullish(),
        thinkingLevel: z.string().max(20).nullish(),
        includeThoughts: z.boolean().nullish(),
      })
      .nullish(),
  })
  .nullish();

export type GenerationConfig = z.infer<typeof generationConfig>;

type Thinking = NonNullable<GenerationConfig>['thinkingConfig'];

/** Thoughts are shown whenever reasoning is asked for, so `includeThoughts` adds nothing. */
const reasoningOf = (thinking: Thinking): ChatBody['reasoning'] => {
  if (thinking === undefined || thinking === null) return undefined;
  const { thinkingBudget: budget, thinkingLevel: level } = thinking;
  if (budget === 0) return { effort: 'none' };
  return { effort: level?.toLowerCase(), max_tokens: budget };
};

/** The settings in the names of all others; undefined where nothing is said. */
const settingsOf = (config: NonNullable<GenerationConfig>): Partial<ChatBody> => ({
  temperature: config.temperature,
  top_p: config.topP,
  top_k: config.topK,
  max_completion_tokens: config.maxOutputTokens,
  stop: config.stopSequences,
  seed: config.seed,
  presence_penalty: config.presencePenalty,
  frequency_penalty: config.frequencyPenalty,
  response_format: config.responseMimeType === 'application/json' ? { type: 'json_object' } : undefined,
  reasoning: reasoningOf(config.thinkingConfig),
});

/** A body whose Gemini settings stand where all others have them. */
export const withGenerationConfig = (body: ChatBody, config: GenerationConfig): ChatBody =>
  config === undefined || config === null
    ? body
    : {
        ...body,
        ...Object.fromEntries(
          Object.entries(settingsOf(config)).filter(([, value]) => value !== undefined && value !== null),
        ),
      };

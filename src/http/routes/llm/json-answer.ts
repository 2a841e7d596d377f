import type { Answering, Ended } from '../../../../commands/completions/running-completion.ts';
import { usdNumber } from '../../../kernel/money.ts';
import { detailOf } from '../../../kernel/thought-details.ts';
import type { Completion } from '../../../kernel/upstream.ts';
import { completionTokens, promptTokens } from '../../../kernel/usage.ts';
import { json, type Reply } from '../../endpoint.ts';
import { messageCalls, wholeAnswer } from './whole-answer.ts';

const usageOf = ({ usage, charged }: Ended): object => {
  const prompt = usage === undefined ? 0 : promptTokens(usage);
  const completion = usage === undefined ? 0 : completionTokens(usage);
  return {
    promptTokens: prompt,
    completionTokens: completion,
    totalTokens: prompt + completion,
    cost: usdNumber(charged),
    cacheWriteTokens: usage?.inputCacheWrite ?? 0,
    cacheReadTokens: usage?.inputCachedRead ?? 0,
  };
};

const messageOf = ({ text, refusal, reasoning, thoughts, toolCalls }: Completion): object => ({
  role: 'assistant',
  // Never null: the desktop cannot read that.
  content: refusal === '' ? text : `${text}${text === '' ? '' : '\n'}${refusal}`,
  ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
  ...(thoughts.length === 0 ? {} : { reasoning_details: thoughts.map(detailOf) }),
  ...(toolCalls.length === 0 ? {} : { tool_calls: messageCalls(toolCalls) }),
});

/** Waits for the whole answer and its charge. Throws when there is no answer to give. */
export const jsonAnswer = async (running: Answering, createdSeconds: number): Promise<Reply> => {
  const { completion, ended } = await wholeAnswer(running);
  return json(200, {
    id: completion.upstreamId || `chatcmpl-${running.requestId}`,
    object: 'chat.completion',
    created: createdSeconds,
    model: completion.model || running.modelId,
    choices: [{ index: 0, message: messageOf(completion), finish_reason: ended.finish ?? 'stop' }],
    usage: usageOf(ended),
    requestId: running.requestId,
  });
};

import type { Answering } from '../../../../commands/completions/running-completion.ts';
import { detailOf } from '../../../kernel/thought-details.ts';
import type { Completion } from '../../../kernel/upstream.ts';
import { json, type Reply } from '../../endpoint.ts';
import { messageCalls, wholeAnswer } from '../llm/whole-answer.ts';
import { brokenOff } from './broken-off.ts';
import { v1Usage } from './v1-usage.ts';

const messageOf = ({ text, refusal, reasoning, thoughts, toolCalls }: Completion): object => ({
  role: 'assistant',
  content: text === '' && (toolCalls.length > 0 || refusal !== '') ? null : text,
  refusal: refusal === '' ? null : refusal,
  ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
  ...(thoughts.length === 0 ? {} : { reasoning_details: thoughts.map(detailOf) }),
  ...(toolCalls.length === 0 ? {} : { tool_calls: messageCalls(toolCalls) }),
});

/** Waits for the whole answer and its charge. Throws when there is no answer to give. */
export const v1Completion = async (running: Answering, createdSeconds: number): Promise<Reply> => {
  const { completion, ended } = await wholeAnswer(running);
  if (ended.finish === 'error') throw brokenOff();
  return json(200, {
    id: `chatcmpl-${running.requestId}`,
    object: 'chat.completion',
    created: createdSeconds,
    model: running.modelId,
    choices: [{ index: 0, message: messageOf(completion), logprobs: null, finish_reason: ended.finish ?? 'stop' }],
    usage: v1Usage(ended.usage),
    system_fingerprint: null,
  });
};

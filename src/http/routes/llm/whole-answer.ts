import type { Answering, Ended } from '../../../../commands/completions/running-completion.ts';
import { refusalFor } from '../../../../commands/completions/upstream-refusal.ts';
import { completionCollector } from '../../../kernel/completion-collector.ts';
import { DomainError } from '../../../kernel/errors.ts';
import type { Completion, ToolCall } from '../../../kernel/upstream.ts';

/** What an answer broke by that nobody had ended. */
export const brokenBy = ({ endedBy, failure }: Ended): unknown =>
  endedBy === 'shutdown'
    ? new DomainError('service_unavailable', 'the server went down during the answer', { retryAfterSeconds: 2 })
    : refusalFor(failure);

/** What to throw for an answer that did not complete. */
export const failureOf = (ended: Ended): unknown => {
  const { how } = ended;
  if (how === 'gone') return Object.assign(new Error('the client has gone'), { name: 'AbortError' });
  if (how === 'cancelled') return new DomainError('bad_request', 'the request was cancelled');
  return brokenBy(ended);
};

/** Waits for the whole answer and its charge. Throws when there is no answer to give. */
export const wholeAnswer = async (running: Answering): Promise<Readonly<{ completion: Completion; ended: Ended }>> => {
  const collected = completionCollector();
  const ended = await running.deliver({
    take: (batch) => {
      batch.forEach(collected.take);
      return undefined;
    },
  });
  if (ended.how !== 'completed') throw failureOf(ended);
  return { completion: collected.whole(), ended };
};

/** The seal of a call, which the caller sends back with it; where Google's compatible endpoint has it too. */
export const sealOf = (signature: string | undefined): object =>
  signature === undefined ? {} : { extra_content: { google: { thought_signature: signature } } };

/** The calls of functions as they stand in a message. */
export const messageCalls = (toolCalls: readonly ToolCall[]): readonly object[] =>
  toolCalls.map(({ id, name, arguments: args, signature }) => ({
    id,
    type: 'function',
    function: { name, arguments: args },
    ...sealOf(signature),
  }));

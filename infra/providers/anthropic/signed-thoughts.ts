import type { ChatMessage, Thought } from '../../../src/kernel/upstream.ts';

/** Names these thoughts to clients. */
export const FORMAT = 'anthropic-claude-v1';

/** The thoughts of a message that this provider has sealed. Others it cannot read: they stay out. */
export const ownThoughts = (message: ChatMessage): readonly Thought[] =>
  message.role !== 'assistant' || message.thoughts === undefined
    ? []
    : message.thoughts.filter(
        ({ kind, signature, format = FORMAT }) =>
          format === FORMAT && (kind === 'encrypted' || (kind === 'text' && signature !== undefined)),
      );

/** True when the model is in the middle of its turn and what it thought at its beginning is missing. */
export const lacksThoughts = (messages: readonly ChatMessage[]): boolean => {
  if (messages.at(-1)?.role !== 'tool') return false;
  const caller = messages.findLast(({ role }) => role === 'assistant');
  return caller === undefined || ownThoughts(caller).length === 0;
};

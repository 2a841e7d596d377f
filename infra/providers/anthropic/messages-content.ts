import type { ChatMessage, MediaSource, Part, Thought } from '../../../src/kernel/upstream.ts';
import { ownThoughts } from './signed-thoughts.ts';
import { argumentsOf } from '../shared/refusals.ts';

type Block = object;
type Turn = Readonly<{ role: 'user' | 'assistant'; content: Block[] }>;

const sourceOf = (source: MediaSource): object =>
  source.kind === 'file'
    ? { type: 'file', file_id: source.fileId }
    : { type: 'base64', media_type: source.mediaType, data: source.data };

const plainBlock = (part: Part): Block => {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
      return { type: 'image', source: sourceOf(part.source) };
    case 'document':
      return { type: 'document', source: sourceOf(part.source), title: part.fileName };
  }
};

/** Empty texts are left out: the API refuses them. */
const blocksOf = (parts: readonly Part[]): readonly Block[] =>
  parts
    .filter((part) => part.type !== 'text' || part.text !== '')
    .map((part) =>
      part.cachePoint === true ? { ...plainBlock(part), cache_control: { type: 'ephemeral' } } : plainBlock(part),
    );

const thoughtBlock = ({ kind, content, signature }: Thought): Block =>
  kind === 'encrypted'
    ? { type: 'redacted_thinking', data: content }
    : { type: 'thinking', thinking: content, signature };

const turnOf = (message: ChatMessage, thinks: boolean): Turn | undefined => {
  switch (message.role) {
    case 'system':
    case 'developer':
      return undefined;
    case 'user':
      return { role: 'user', content: [...blocksOf(message.parts)] };
    case 'assistant': {
      const calls = message.toolCalls.map(({ id, name, arguments: args }) => ({
        type: 'tool_use',
        id,
        name,
        input: argumentsOf(name, args),
      }));
      // Thoughts come first, and are refused by a model that is not to think.
      const thoughts = thinks ? ownThoughts(message).map(thoughtBlock) : [];
      return { role: 'assistant', content: [...thoughts, ...blocksOf(message.parts), ...calls] };
    }
    case 'tool': {
      const content = blocksOf(message.parts);
      return { role: 'user', content: [{ type: 'tool_result', tool_use_id: message.toolCallId, content }] };
    }
  }
};

/** The turns of a conversation, with its thoughts when the model goes on thinking. Neighbours of one role become one turn: all results of tools must stand in one. */
export const turnsOf = (messages: readonly ChatMessage[], thinks: boolean): readonly Turn[] => {
  const turns: Turn[] = [];
  for (const message of messages) {
    const turn = turnOf(message, thinks);
    if (turn === undefined || turn.content.length === 0) continue;
    const last = turns.at(-1);
    if (last?.role === turn.role) last.content.push(...turn.content);
    else turns.push(turn);
  }
  return turns;
};

/** The system's words: one text with a blank line between messages, or blocks when one of them ends a cache. */
export const systemOf = (messages: readonly ChatMessage[]): unknown => {
  const said = messages.filter(({ role }) => role === 'system' || role === 'developer');
  const parts = said.flatMap(({ parts: own }) => own);
  if (parts.some(({ cachePoint }) => cachePoint === true)) return blocksOf(parts);
  const text = said
    .map((message) => message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n'))
    .join('\n\n');
  return text === '' ? undefined : text;
};

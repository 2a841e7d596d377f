import { thoughtOf } from '../../../kernel/thought-details.ts';
import type { ChatMessage, Thought, ToolCall } from '../../../kernel/upstream.ts';
import { partsOf, refuseAt } from './chat-parts.ts';

type Members = Readonly<Record<string, unknown>>;

const membersOf = (value: unknown): Members => (typeof value === 'object' && value !== null ? (value as Members) : {});

/** The seal of a call, where the provider gave it one. */
const signatureOf = (extra: unknown, where: string): Readonly<{ signature?: string }> => {
  const { thought_signature: signature } = membersOf(membersOf(extra)['google']);
  if (signature === undefined || signature === null) return {};
  return typeof signature === 'string'
    ? { signature }
    : refuseAt(`${where}.extra_content.google.thought_signature`, 'must be a string');
};

const toolCallOf = (value: unknown, where: string): ToolCall => {
  const { id, function: called, extra_content: extra } = (value ?? {}) as Members;
  const { name, arguments: args } = (called ?? {}) as Members;
  if (typeof id !== 'string' || typeof name !== 'string' || typeof args !== 'string') {
    return refuseAt(where, 'must be {id, function: {name, arguments}}');
  }
  return { id, name, arguments: args, ...signatureOf(extra, where) };
};

const thoughtsOf = (details: unknown, where: string): Readonly<{ thoughts?: readonly Thought[] }> => {
  if (details === undefined || details === null) return {};
  if (!Array.isArray(details)) return refuseAt(where, 'must be a list');
  const thoughts = details.map(
    (detail, index) =>
      thoughtOf(detail) ??
      refuseAt(
        `${where}.${index}`,
        "must be {type: 'reasoning.text', 'reasoning.summary' or 'reasoning.encrypted', …}",
      ),
  );
  return thoughts.length === 0 ? {} : { thoughts };
};

/** The calls of an assistant's message; none when it does not speak of them. */
const callsOf = (calls: unknown, where: string): readonly ToolCall[] => {
  if (calls === undefined || calls === null) return [];
  if (!Array.isArray(calls)) return refuseAt(where, 'must be a list');
  return calls.map((call, index) => toolCallOf(call, `${where}.${index}`));
};

const assistant = ({ content, tool_calls, reasoning_details }: Members, where: string): ChatMessage => {
  const toolCalls = callsOf(tool_calls, `${where}.tool_calls`);
  const parts = partsOf(content, `${where}.content`);
  if (parts.length === 0 && toolCalls.length === 0) refuseAt(`${where}.content`, 'is missing');
  return {
    role: 'assistant',
    parts,
    toolCalls,
    ...thoughtsOf(reasoning_details, `${where}.reasoning_details`),
  };
};

const tool = ({ content, tool_call_id: id }: Members, where: string): ChatMessage =>
  typeof id === 'string'
    ? { role: 'tool', toolCallId: id, parts: partsOf(content, `${where}.content`) }
    : refuseAt(`${where}.tool_call_id`, 'must be a string');

const messageOf = (value: unknown, index: number): ChatMessage => {
  const where = `messages.${index}`;
  const message = (value ?? {}) as Members;
  const { role, content } = message;
  switch (role) {
    case 'system':
    case 'developer':
    case 'user':
      if (content === null || content === undefined) refuseAt(`${where}.content`, 'is missing');
      return { role, parts: partsOf(content, `${where}.content`) };
    case 'assistant':
      return assistant(message, where);
    case 'tool':
      return tool(message, where);
    default:
      return refuseAt(`${where}.role`, 'must be system, developer, user, assistant or tool');
  }
};

/** Reads the conversation. Throws DomainError `validation_error` that names the first thing wrong. */
export const messagesOf = (values: readonly unknown[]): readonly ChatMessage[] => values.map(messageOf);

import type { ChatMessage, MediaSource, Part, ToolCall, UpstreamRequest } from '../../../src/kernel/upstream.ts';
import { argumentsOf, refuse, textsOf } from '../shared/refusals.ts';
import { knownCallId } from './call-ids.ts';
import { signsCalls } from './model-traits.ts';

type Content = Readonly<{ role: 'user' | 'model'; parts: object[] }>;

/** Stands for a signature that the client did not send; the provider takes it without checking. */
const NO_SIGNATURE = 'skip_thought_signature_validator';

const FILES = 'https://generativelanguage.googleapis.com/v1beta/';

const isAddress = (fileId: string): boolean => /^[a-z][a-z\d+.-]*:/i.test(fileId);

const mediaOf = (source: MediaSource): object => {
  if (source.kind === 'base64') return { inlineData: { mimeType: source.mediaType, data: source.data } };
  return { fileData: { fileUri: isAddress(source.fileId) ? source.fileId : FILES + source.fileId } };
};

/** True for a file that is not the provider's own, but somewhere on the web: it would be fetched from there. */
export const isElsewhere = (part: Part): boolean =>
  part.type !== 'text' &&
  part.source.kind === 'file' &&
  isAddress(part.source.fileId) &&
  !part.source.fileId.startsWith(FILES) &&
  !part.source.fileId.startsWith('gs://');

const partOf = (part: Part): object => (part.type === 'text' ? { text: part.text } : mediaOf(part.source));

const saidOf = (parts: readonly Part[]): readonly object[] =>
  parts.filter((part) => part.type !== 'text' || part.text !== '').map(partOf);

/** Only the first call of a turn must carry a signature. */
const callOf = ({ id, name, arguments: args, signature }: ToolCall, needed: boolean): object => ({
  functionCall: { id: knownCallId(id), name, args: argumentsOf(name, args) },
  thoughtSignature: signature ?? (needed ? NO_SIGNATURE : undefined),
});

/** A result as an object, which it must be here. */
const responseOf = (text: string): object => {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  } catch {
    // Plain text.
  }
  return { result: text };
};

const nameOf = (messages: readonly ChatMessage[], callId: string): string => {
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? message.toolCalls : []));
  return (
    calls.findLast(({ id }) => id === callId)?.name ??
    refuse(
      'messages',
      `no message before asks for the tool call ${callId.slice(0, 100)}; send the assistant's message as well`,
    )
  );
};

const contentOf = (message: ChatMessage, index: number, request: UpstreamRequest): Content | undefined => {
  switch (message.role) {
    case 'system':
    case 'developer':
      return undefined;
    case 'user':
      return { role: 'user', parts: [...saidOf(message.parts)] };
    case 'assistant': {
      const signs = signsCalls(request.model);
      const calls = message.toolCalls.map((call, place) => callOf(call, signs && place === 0));
      return { role: 'model', parts: [...saidOf(message.parts), ...calls] };
    }
    case 'tool': {
      const name = nameOf(request.messages.slice(0, index), message.toolCallId);
      const response = responseOf(textsOf(message.parts));
      return {
        role: 'user',
        parts: [{ functionResponse: { id: knownCallId(message.toolCallId), name, response } }],
      };
    }
  }
};

/** The conversation. Neighbours of one role become one: all results of a turn's calls must stand together. */
export const contentsOf = (request: UpstreamRequest): readonly Content[] => {
  const contents: Content[] = [];
  request.messages.forEach((message, index) => {
    const content = contentOf(message, index, request);
    if (content === undefined || content.parts.length === 0) return;
    const last = contents.at(-1);
    if (last?.role === content.role) last.parts.push(...content.parts);
    else contents.push(content);
  });
  return contents;
};

/** The system's words. */
export const instructionOf = ({ messages }: UpstreamRequest): object | undefined => {
  const parts = messages
    .filter(({ role }) => role === 'system' || role === 'developer')
    .flatMap((message) => saidOf(message.parts));
  return parts.length === 0 ? undefined : { parts };
};

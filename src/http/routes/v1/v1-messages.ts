import { refuseAt } from '../llm/chat-parts.ts';
import { refuseParam } from './refuse-param.ts';

type Members = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null;

const fileOf = ({ file }: Members, where: string): unknown => {
  const { file_data: url, file_id, filename: file_name } = isObject(file) ? file : {};
  if (typeof url === 'string') return { type: 'document', source: { type: 'url', url, file_name } };
  return typeof file_id === 'string'
    ? { type: 'document', source: { type: 'file', file_id, file_name } }
    : refuseAt(`${where}.file`, 'must have file_data, a data URL in base64');
};

/** OpenAI's own kinds of parts as the reader of messages knows them. No data is copied. */
const partOf = (part: unknown, where: string): unknown => {
  if (!isObject(part)) return part;
  switch (part['type']) {
    case 'file':
      return fileOf(part, where);
    case 'refusal':
      return { type: 'text', text: part['refusal'] };
    case 'input_audio':
      return refuseParam(where, 'unsupported_value', `${where} is sound; send its text instead.`);
    default:
      return part;
  }
};

const contentOf = (content: unknown, where: string): unknown =>
  Array.isArray(content) ? content.map((part, index) => partOf(part, `${where}.${index}`)) : content;

const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

/** Members that would change what the model reads, and that no provider could be told. */
const refuseMembers = (message: Members, where: string): void => {
  const { name, audio, function_call, role } = message;
  if (isGiven(audio)) refuseParam(`${where}.audio`, 'unsupported_parameter', 'Answers are text; leave audio out.');
  if (isGiven(function_call)) {
    refuseParam(`${where}.function_call`, 'unsupported_parameter', "'function_call' is not supported; use tool_calls.");
  }
  // With a result of a tool it only repeats the call's.
  if (isGiven(name) && role !== 'tool') {
    refuseParam(
      `${where}.name`,
      'unsupported_parameter',
      'Names of participants are not supported; write them into the content.',
    );
  }
};

/** What an assistant said: an earlier refusal is text, and empty text beside calls is none. */
const assistantContent = ({ content, refusal, tool_calls }: Members): unknown => {
  const isSilent = content === undefined || content === null || content === '';
  if (isSilent && typeof refusal === 'string') return refusal;
  return isSilent && Array.isArray(tool_calls) && tool_calls.length > 0 ? null : content;
};

const messageOf = (message: unknown, index: number): unknown => {
  if (!isObject(message)) return message;
  const where = `messages.${index}`;
  refuseMembers(message, where);
  const content = message['role'] === 'assistant' ? assistantContent(message) : message['content'];
  return { ...message, content: contentOf(content, `${where}.content`) };
};

/** A conversation in OpenAI's words in those that `messagesOf` reads. Throws DomainError `validation_error`. */
export const plainMessages = (messages: readonly unknown[]): readonly unknown[] => messages.map(messageOf);

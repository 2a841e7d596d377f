import { randomUUID } from 'node:crypto';
import type { ChatMessage, MediaSource, Part, UpstreamRequest } from '../../../src/kernel/upstream.ts';
import type { LongBody } from './long-body.ts';

/** Media that are worth a place of their own, in characters of base64, one by one and together. */
const LARGE = 16 * 1024;
const LARGE_TOGETHER = 1024 * 1024;
const PIECE = 256 * 1024;

const dataOf = (part: Part): string =>
  part.type !== 'text' && part.source.kind === 'base64' && part.source.data.length >= LARGE ? part.source.data : '';

const hasLargeMedia = ({ messages }: UpstreamRequest): boolean => {
  let together = 0;
  for (const { parts } of messages) for (const part of parts) together += dataOf(part).length;
  return together >= LARGE_TOGETHER;
};

type Marked = Readonly<{ request: UpstreamRequest; marks: RegExp; data: readonly string[] }>;

/** The request with marks in the place of its large media, in the order of `data`. */
const marked = (request: UpstreamRequest): Marked => {
  const name = randomUUID();
  const data: string[] = [];
  const sourceOf = (source: MediaSource): MediaSource => {
    if (source.kind !== 'base64' || source.data.length < LARGE) return source;
    data.push(source.data);
    return { ...source, data: `${name}-${data.length - 1};` };
  };
  const partOf = (part: Part): Part => (part.type === 'text' ? part : { ...part, source: sourceOf(part.source) });
  const messageOf = (message: ChatMessage): ChatMessage => ({ ...message, parts: message.parts.map(partOf) });
  const messages = request.messages.map(messageOf);
  return { request: { ...request, messages }, marks: new RegExp(`${name}-(\\d+);`), data };
};

const bytesOf = function* (texts: readonly string[], data: readonly string[]): Generator<Uint8Array, undefined> {
  for (const [index, text] of texts.entries()) {
    // What the marks are split by stands between: the number of a medium.
    if (index % 2 === 0) {
      yield Buffer.from(text);
      continue;
    }
    const medium = data[Number(text)] ?? '';
    for (let from = 0; from < medium.length; from += PIECE)
      yield Buffer.from(medium.slice(from, from + PIECE), 'latin1');
  }
  return undefined;
};

const flowing = async function* (pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, undefined> {
  for (const piece of pieces) {
    yield piece;
    // Others have their turn between two pieces, also while the connection takes all of them at once.
    await new Promise(setImmediate);
  }
  return undefined;
};

/**
 * The JSON of a request. One with large media is written while it is sent: to make one text of a hundred megabytes would
 * keep the process from everything else, and in memory a second and third time.
 */
export const jsonInPieces = (
  request: UpstreamRequest,
  encode: (request: UpstreamRequest) => unknown,
): string | LongBody => {
  if (!hasLargeMedia(request)) return JSON.stringify(encode(request));
  const { request: light, marks, data } = marked(request);
  const texts = JSON.stringify(encode(light)).split(marks);
  let length = 0;
  for (const [index, text] of texts.entries()) {
    length += index % 2 === 0 ? Buffer.byteLength(text) : (data[Number(text)] ?? '').length;
  }
  return { contentType: 'application/json', length, bytes: flowing(bytesOf(texts, data)) };
};

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LogEntry } from '../log/tail-cache.ts';
import type { EventStore } from '../streams/event-store.ts';
import { keepLinks } from '../streams/links.ts';
import { idOf } from '../wire/record.ts';
import { eventMessage, notFoundMessage, withStructuredId } from '../wire/read-messages.ts';
import type { PacedWriter } from './paced-writer.ts';
import type { ReadRequest, StartingPoint } from './read-request.ts';
import { streamDeleted } from './refusals.ts';

const entriesPerChunk = 256;

/** Turns a log entry into the message for this request. */
export type Encode = (entry: LogEntry) => Buffer;

/** How a request wants its events: links followed or not, ids as text or as two integers. */
export const encoderFor = (store: EventStore, request: ReadRequest): Encode => {
  const resolve = request.resolveLinks ? store.resolveLink : keepLinks;
  const withId = (record: Buffer | undefined): Buffer | undefined =>
    record !== undefined && request.structuredIds ? withStructuredId(record, idOf(record)) : record;
  return ({ body, position }) => {
    const resolved = resolve(body, position);
    return eventMessage(withId(resolved.record), withId(resolved.link), position);
  };
};

const send = async (entries: readonly LogEntry[], encode: Encode, writer: PacedWriter): Promise<void> => {
  for (const entry of entries) {
    const full = writer.write(encode(entry));
    if (full !== undefined) await full;
    if (writer.ended()) return;
  }
};

const readAll = async (store: EventStore, request: ReadRequest, writer: PacedWriter): Promise<void> => {
  const { log } = store;
  const encode = encoderFor(store, request);
  const end = log.stored();
  let left = request.limit ?? 0;
  let cursor = firstPosition(request, end);
  while (left > 0 && !writer.ended() && (request.backwards ? cursor > 1 : cursor < end)) {
    const count = request.filter === undefined ? Math.min(left, entriesPerChunk) : entriesPerChunk;
    const chunk = request.backwards ? log.before(cursor, count) : log.after(cursor, count);
    const accepts = request.filter?.accepts;
    const wanted = chunk.entries.filter(
      ({ position, body }) => (request.backwards || position <= end) && (accepts?.(body) ?? true),
    );
    await send(wanted.slice(0, left), encode, writer);
    left -= wanted.length;
    cursor = chunk.end;
    await nextTurn();
  }
};

/** Forwards the cursor is the last position not wanted; backwards it is one past the first wanted. */
const firstPosition = ({ from, backwards }: ReadRequest, end: number): number => {
  if (backwards) return from === 'start' ? 1 : from === 'end' ? end + 1 : Math.min(from, end + 1);
  return from === 'start' ? 0 : from === 'end' ? end : from - 1;
};

const firstRevision = (from: StartingPoint, last: number): number =>
  from === 'start' ? 0 : from === 'end' ? last : from;

const readStream = async (
  store: EventStore,
  request: ReadRequest,
  stream: string,
  writer: PacedWriter,
): Promise<void> => {
  const view = await store.reader.look(stream);
  if (view === 'deleted') throw streamDeleted(stream);
  if (view === 'missing') {
    await writer.write(notFoundMessage(stream));
    return;
  }
  const encode = encoderFor(store, request);
  const { forwards, backwards } = store.reader;
  let left = request.limit ?? 0;
  let cursor = firstRevision(request.from, view.last);
  // Forwards from the end there is nothing: the end is behind the last event.
  if (!request.backwards && request.from === 'end') return;
  while (left > 0 && !writer.ended() && (request.backwards ? cursor >= view.first : cursor <= view.last)) {
    const chunk = request.backwards ? backwards(view, cursor, left) : forwards(view, cursor, left);
    await send(chunk.entries, encode, writer);
    left -= chunk.entries.length;
    cursor = chunk.next;
    await nextTurn();
  }
};

/** Answers a read that ends: of a stream or of $all. */
export const answerRead = (store: EventStore, request: ReadRequest, writer: PacedWriter): Promise<void> =>
  request.target.kind === 'all'
    ? readAll(store, request, writer)
    : readStream(store, request, request.target.stream, writer);

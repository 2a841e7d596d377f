import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LogEntry } from '../log/tail-cache.ts';
import type { EventStore } from '../streams/event-store.ts';
import type { StreamView } from '../streams/stream-reader.ts';
import { caughtUpMessage, checkpointMessage, confirmationMessage, fellBehindMessage } from '../wire/read-messages.ts';
import type { PacedWriter } from './paced-writer.ts';
import { encoderFor, type Encode } from './read-call.ts';
import type { ReadRequest } from './read-request.ts';
import { streamDeleted } from './refusals.ts';

const entriesPerChunk = 256;

/** A bell that remembers one ring until somebody waits for it. */
const createBell = (): { ring: () => void; wait: () => Promise<void> } => {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring: () => {
      rung = true;
      wake?.();
    },
    wait: async () => {
      if (!rung) await new Promise<void>((resolve) => (wake = resolve));
      rung = false;
      wake = undefined;
    },
  };
};

type Filter = NonNullable<ReadRequest['filter']>;

/** Counts what a filtered subscription looked at, and says when it is time to tell. */
const createCheckpoints = (filter: Filter | undefined, start: number, writer: PacedWriter) => {
  let told = start;
  let unchecked = 0;
  const tell = async (position: number): Promise<void> => {
    if (filter === undefined || position <= told) return;
    told = position;
    unchecked = 0;
    await writer.write(checkpointMessage(position));
  };
  const passed = async (position: number): Promise<void> => {
    unchecked += 1;
    if (filter !== undefined && unchecked >= filter.checkpointEvery) await tell(position);
  };
  return { tell, passed };
};

/**
 * Follows the log with one cursor over one order: the newest events come from memory and older ones from disk, so
 * there is no seam between catching up and live where an event could be lost or sent twice.
 */
const followAll = async (store: EventStore, request: ReadRequest, writer: PacedWriter): Promise<void> => {
  const { log } = store;
  const encode = encoderFor(store, request);
  const { filter, from } = request;
  let cursor = from === 'start' ? 0 : from === 'end' ? log.stored() : from;
  const checkpoints = createCheckpoints(filter, cursor, writer);
  const bell = createBell();
  const unwatch = log.watch({ onStored: bell.ring });
  writer.onEnd(bell.ring);

  const send = async (entries: readonly LogEntry[]): Promise<void> => {
    for (const entry of entries) {
      if (writer.ended()) return;
      if (filter === undefined || filter.accepts(entry.body)) await writer.write(encode(entry));
      await checkpoints.passed(entry.position);
    }
  };
  try {
    for (let live = false; !writer.ended();) {
      const chunk = log.after(cursor, entriesPerChunk);
      if (live && chunk.fromDisk) {
        live = false;
        await writer.write(fellBehindMessage());
      }
      await send(chunk.entries);
      cursor = Math.max(cursor, chunk.end);
      if (cursor < log.stored()) await nextTurn();
      else if (live) await bell.wait();
      else {
        live = true;
        await checkpoints.tell(cursor);
        await writer.write(caughtUpMessage());
      }
    }
  } finally {
    unwatch();
  }
};

const sendStream = async (
  store: EventStore,
  view: StreamView,
  after: number,
  { encode, writer }: { encode: Encode; writer: PacedWriter },
): Promise<number> => {
  let cursor = after;
  while (cursor < view.last && !writer.ended()) {
    const chunk = store.reader.forwards(view, cursor + 1, entriesPerChunk);
    for (const entry of chunk.entries) {
      await writer.write(encode(entry));
      if (writer.ended()) return cursor;
    }
    cursor = chunk.next - 1;
    await nextTurn();
  }
  return Math.max(cursor, view.last);
};

const lastRevision = async (store: EventStore, stream: string): Promise<number> => {
  const view = await store.reader.look(stream);
  return typeof view === 'string' ? store.reader.lastRevision(stream) : view.last;
};

const followStream = async (
  store: EventStore,
  request: ReadRequest,
  stream: string,
  writer: PacedWriter,
): Promise<void> => {
  const out = { encode: encoderFor(store, request), writer };
  const { from } = request;
  let cursor = from === 'start' ? -1 : from === 'end' ? await lastRevision(store, stream) : from;
  let live = false;
  const bell = createBell();
  const unwatch = store.index.onStored(store.reader.keyOf(stream), bell.ring);
  writer.onEnd(bell.ring);
  try {
    while (!writer.ended()) {
      const view = await store.reader.look(stream);
      if (view === 'deleted') throw streamDeleted(stream);
      if (view !== 'missing') {
        if (live && view.last - cursor > entriesPerChunk) {
          live = false;
          await writer.write(fellBehindMessage());
        }
        cursor = await sendStream(store, view, cursor, out);
      }
      if (!live) await writer.write(caughtUpMessage());
      live = true;
      await bell.wait();
    }
  } finally {
    unwatch();
  }
};

/** Answers a subscription: confirms it, then follows the stream or $all until the reader goes. */
export const answerSubscription = async (
  store: EventStore,
  request: ReadRequest,
  writer: PacedWriter,
): Promise<void> => {
  await writer.write(confirmationMessage(randomUUID()));
  await (request.target.kind === 'all'
    ? followAll(store, request, writer)
    : followStream(store, request, request.target.stream, writer));
};

import { join } from 'node:path';
import { createLogReader, type LogChunk } from './log-reader.ts';
import { logFile, openForReading } from './schema.ts';
import { createTailCache, type LogEntry } from './tail-cache.ts';
import { startWriter } from './writer.ts';

const tailBytes = 16 * 1024 * 1024;

/** An event with its place in the log still open: the log gives the position. */
export type LogRow = { stream: number; revision: number; encode: (position: number) => Buffer };

/** The storage refused what it was asked to keep; nothing of it was stored. */
export class StorageRefusal extends Error {}

/** The durable, totally ordered log. Positions start at 1 and have no gaps. */
export type EventLog = {
  /** The last position that is safe on disk. */
  stored: () => number;
  /** The last position that was given away. */
  last: () => number;
  /** Takes rows at once, in order, and returns the position of the last; `settled` tells when they are safe. */
  append: (rows: readonly LogRow[]) => number;
  /** Resolves when the position is safe on disk; rejects with a StorageRefusal when it will never be. */
  settled: (position: number) => Promise<void>;
  /** Stored events after a position, oldest first, from memory or disk; `fromDisk` says which. */
  after: (position: number, limit: number) => LogChunk & { fromDisk: boolean };
  /** Stored events before a position, newest first. */
  before: (position: number, limit: number) => LogChunk;
  at: (position: number) => LogEntry | undefined;
  /** Told of newly stored entries, and of a refusal after which pending ones are gone. */
  watch: (watcher: LogWatcher) => () => void;
  close: () => Promise<void>;
};
type LogWatcher = { onStored?: (entries: LogEntry[]) => void; onRefused?: () => void };

type Waiting = { position: number; resolve: () => void; reject: (error: Error) => void };

/** Opens the log of a data directory and starts its writer thread. `onFault` means the node must stop. */
export const openEventLog = async (
  dataDir: string,
  options: { maxBytes: number | undefined; onFault: (error: Error) => void },
): Promise<EventLog> => {
  const path = join(dataDir, logFile);
  const watchers = new Set<LogWatcher>();
  let waiting: Waiting[] = [];
  const settle = (position: number): void => {
    let done = 0;
    for (; done < waiting.length && (waiting[done]?.position ?? Infinity) <= position; done++) waiting[done]?.resolve();
    waiting = done === waiting.length ? [] : waiting.slice(done);
  };
  const onCommitted = (position: number): void => {
    const entries: LogEntry[] = [];
    for (let at = stored + 1; at <= position; at++) {
      const entry = tail.at(at);
      if (entry !== undefined) entries.push(entry);
    }
    stored = position;
    writing = false;
    if (batch.length > 0) flushSoon();
    tail.trim(stored);
    // Those who append are answered before readers are served: who holds money waits for the one and not for the other.
    settle(position);
    for (const watcher of watchers) watcher.onStored?.(entries);
  };
  const onRefused = (message: string): void => {
    last = stored;
    batch = [];
    writing = false;
    tail.dropFrom(stored + 1);
    const refused = waiting;
    waiting = [];
    for (const watcher of watchers) watcher.onRefused?.();
    for (const { position, resolve, reject } of refused) {
      if (position <= stored) resolve();
      else reject(new StorageRefusal(message));
    }
  };
  const fail = (error: Error): void => {
    onRefused(error.message);
    options.onFault(error);
  };
  const writer = await startWriter({ path, maxBytes: options.maxBytes }, { onCommitted, onRefused, onFault: fail });
  const file = openForReading(path, 4000);
  const reader = createLogReader(file);
  let stored = writer.last;
  let last = writer.last;
  const tail = createTailCache(tailBytes, last + 1);
  let batch: LogEntry[] = [];
  let writing = false;
  let scheduled = false;

  /** What arrives while the writer is at work becomes its next transaction. */
  const flush = (): void => {
    scheduled = false;
    if (writing || batch.length === 0) return;
    const entries = batch;
    batch = [];
    writing = true;
    const places = new Float64Array(entries.length * 4);
    const bodies = new Uint8Array(entries.reduce((sum, { body }) => sum + body.length, 0));
    let offset = 0;
    entries.forEach(({ position, stream, revision, body }, row) => {
      places.set([position, stream, revision, body.length], row * 4);
      bodies.set(body, offset);
      offset += body.length;
    });
    writer.send({ places, bodies });
  };
  /** Waits for the end of this turn of the event loop, so that all that has arrived by then shares a transaction. */
  const flushSoon = (): void => {
    if (!scheduled) setImmediate(flush);
    scheduled = true;
  };
  const append = (rows: readonly LogRow[]): number => {
    if (!writing) flushSoon();
    for (const { stream, revision, encode } of rows) {
      last += 1;
      const entry = { position: last, stream, revision, body: encode(last) };
      batch.push(entry);
      tail.add(entry);
    }
    return last;
  };
  const fromTail = (position: number, limit: number): LogEntry[] => {
    const entries: LogEntry[] = [];
    const end = Math.min(stored, position + limit);
    for (let at = position + 1; at <= end; at++) {
      const entry = tail.at(at);
      if (entry !== undefined) entries.push(entry);
    }
    return entries;
  };
  const settled = (position: number): Promise<void> => {
    if (position <= stored) return Promise.resolve();
    return new Promise((resolve, reject) => waiting.push({ position, resolve, reject }));
  };
  return {
    stored: () => stored,
    last: () => last,
    append,
    settled,
    after: (position, limit) => {
      if (position + 1 < tail.start()) return { ...reader.after(position, stored, limit), fromDisk: true };
      const entries = fromTail(position, limit);
      return { entries, end: entries.at(-1)?.position ?? stored, fromDisk: false };
    },
    before: (position, limit) => {
      const entries: LogEntry[] = [];
      const newest = Math.min(position - 1, stored);
      for (let at = newest; at > newest - limit && at >= tail.start(); at--) {
        const entry = tail.at(at);
        if (entry !== undefined) entries.push(entry);
      }
      const end = entries.at(-1)?.position;
      return end === undefined ? reader.before(newest + 1, limit) : { entries, end };
    },
    at: (position) => (position > stored ? undefined : (tail.at(position) ?? reader.at(position))),
    watch: (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    close: async () => {
      await settled(last).catch(() => undefined);
      await writer.close();
      file.close();
    },
  };
};

import { join } from 'node:path';
import type { EventLog } from './event-log.ts';
import { startIndexer } from './indexer.ts';
import { indexFile, logFile, openForReading } from './schema.ts';
import { allocateStreamFilter, viewStreamFilter } from './stream-filter.ts';
import type { LogEntry } from './tail-cache.ts';

/** So many events may wait for the indexer before it is called, and so long: larger rounds touch fewer pages an event. */
const callAfterEvents = 50_000;
const callAfterMilliseconds = 10_000;

/** Where one event of a stream is. */
type StreamPlace = { revision: number; position: number };

/** Finds the stored events of a stream. A stream is known by its key (stream-key.ts). */
export type StreamIndex = {
  /** Whether the stream may have events. A no is certain and costs no look at the disk. */
  mayHave: (stream: number) => boolean;
  last: (stream: number) => StreamPlace | undefined;
  first: (stream: number) => StreamPlace | undefined;
  /** Places from one revision to another, both included, oldest first. */
  forwards: (stream: number, from: number, to: number, limit: number) => StreamPlace[];
  /** Places from a revision down to another, both included, newest first. */
  backwards: (stream: number, from: number, to: number, limit: number) => StreamPlace[];
  at: (stream: number, revision: number) => number | undefined;
  /** Calls back when events of this stream are stored. Returns how to end it. */
  onStored: (stream: number, callback: () => void) => () => void;
  /** Stored events that the index file does not have yet. */
  lag: () => number;
  /** What the start found: see indexer.ts. */
  caughtUp: number;
  ahead: number;
  close: () => Promise<void>;
};

/** Opens the index of a data directory over its log, starting the thread that keeps it level. */
export const openStreamIndex = async (
  dataDir: string,
  log: EventLog,
  events: { onProgress: (position: number) => void; onFault: (error: Error) => void },
): Promise<StreamIndex> => {
  const indexPath = join(dataDir, indexFile);
  /** Stored events that the index file may not have yet, by stream, oldest first. */
  const fresh = new Map<number, StreamPlace[]>();
  const freshQueue: { stream: number; position: number }[] = [];
  const callbacks = new Map<number, Set<() => void>>();
  const memory = allocateStreamFilter();
  const filter = viewStreamFilter(memory);
  let filterIsWhole = false;
  let timer: NodeJS.Timeout | undefined;

  const forget = (indexed: number): void => {
    const counts = new Map<number, number>();
    const end = freshQueue.findIndex(({ position }) => position > indexed);
    const done = freshQueue.splice(0, end < 0 ? freshQueue.length : end);
    for (const { stream } of done) counts.set(stream, (counts.get(stream) ?? 0) + 1);
    for (const [stream, count] of counts) {
      const rest = fresh.get(stream)?.slice(count) ?? [];
      if (rest.length > 0) fresh.set(stream, rest);
      else fresh.delete(stream);
    }
  };
  const onIndexed = (position: number): void => {
    calling = false;
    forget(position);
    if (freshQueue.length > 0) callSoon();
  };
  let calling = false;
  const call = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (calling) return;
    calling = true;
    indexer.index();
  };
  const callSoon = (): void => {
    if (freshQueue.length >= callAfterEvents) call();
    else timer ??= setTimeout(call, callAfterMilliseconds);
  };
  const note = ({ stream, revision, position }: LogEntry): void => {
    const places = fresh.get(stream);
    if (places === undefined) fresh.set(stream, [{ revision, position }]);
    else places.push({ revision, position });
    freshQueue.push({ stream, position });
  };
  const onStoredEntries = (entries: LogEntry[]): void => {
    for (const entry of entries) note(entry);
    callSoon();
    if (callbacks.size === 0) return;
    for (const stream of new Set(entries.map((entry) => entry.stream))) {
      for (const callback of callbacks.get(stream) ?? []) callback();
    }
  };

  const indexer = await startIndexer(
    { logPath: join(dataDir, logFile), indexPath, filter: memory },
    { onFiltered: () => (filterIsWhole = true), onProgress: events.onProgress, onIndexed, onFault: events.onFault },
  );
  // The indexer may have stopped short for want of room on the disk.
  for (let position = indexer.position; position < log.stored();) {
    const chunk = log.after(position, 1000);
    chunk.entries.forEach(note);
    position = chunk.end;
  }
  const unwatch = log.watch({ onStored: onStoredEntries });
  const file = openForReading(indexPath, 4000);
  const columns = 'select revision, position from stream_events where stream = ?';
  const lastOne = file.prepare(`${columns} order by revision desc limit 1`);
  const firstOne = file.prepare(`${columns} order by revision limit 1`);
  const upwards = file.prepare(`${columns} and revision between ? and ? order by revision limit ?`);
  const downwards = file.prepare(`${columns} and revision between ? and ? order by revision desc limit ?`);

  const forwards: StreamIndex['forwards'] = (stream, from, to, limit) => {
    const recent = fresh.get(stream) ?? [];
    const boundary = (recent[0]?.revision ?? Infinity) - 1;
    const places = from > boundary ? [] : (upwards.all(stream, from, Math.min(to, boundary), limit) as StreamPlace[]);
    for (const place of recent) {
      if (places.length >= limit || place.revision > to) break;
      if (place.revision >= from) places.push(place);
    }
    return places;
  };
  const backwards: StreamIndex['backwards'] = (stream, from, to, limit) => {
    const recent = fresh.get(stream) ?? [];
    const places: StreamPlace[] = [];
    for (let at = recent.length - 1; at >= 0 && places.length < limit; at--) {
      const place = recent[at];
      if (place !== undefined && place.revision <= from && place.revision >= to) places.push(place);
    }
    const boundary = Math.min(from, (recent[0]?.revision ?? Infinity) - 1);
    if (places.length >= limit || boundary < to) return places;
    return [...places, ...(downwards.all(stream, to, boundary, limit - places.length) as StreamPlace[])];
  };
  return {
    forwards,
    backwards,
    mayHave: (stream) => !filterIsWhole || fresh.has(stream) || filter.mayHave(stream),
    last: (stream) => fresh.get(stream)?.at(-1) ?? (lastOne.get(stream) as StreamPlace | undefined),
    first: (stream) => (firstOne.get(stream) as StreamPlace | undefined) ?? fresh.get(stream)?.[0],
    at: (stream, revision) => forwards(stream, revision, revision, 1)[0]?.position,
    onStored: (stream, callback) => {
      const set = callbacks.get(stream) ?? new Set();
      callbacks.set(stream, set.add(callback));
      return () => {
        set.delete(callback);
        if (set.size === 0) callbacks.delete(stream);
      };
    },
    lag: () => freshQueue.length,
    caughtUp: indexer.caughtUp,
    ahead: indexer.ahead,
    close: async () => {
      unwatch();
      clearTimeout(timer);
      await indexer.close();
      file.close();
    },
  };
};

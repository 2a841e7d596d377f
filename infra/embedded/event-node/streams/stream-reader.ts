import type { EventLog } from '../log/event-log.ts';
import type { StreamIndex } from '../log/stream-index.ts';
import type { LogEntry } from '../log/tail-cache.ts';
import { decodeRecord } from '../wire/record.ts';
import type { StreamHeads } from './stream-heads.ts';
import { firstReadable, isExpired, isMetastream, originalOf, type StreamPolicy } from './stream-policy.ts';

const placesPerChunk = 200;
const chunkBytes = 1024 * 1024;

/** A stream as a reader sees it: an empty range when everything was truncated. */
export type StreamView = { key: number; first: number; last: number; policy: StreamPolicy };
type StreamState = 'missing' | 'deleted' | StreamView;

export type StreamReader = {
  keyOf: (stream: string) => number;
  /** The last revision, even of a soft-deleted stream; -1 when there never was one. */
  lastRevision: (stream: string) => number;
  /** What is there now, everything acknowledged so far included. */
  look: (stream: string) => Promise<StreamState>;
  /** Events from a revision up to another, oldest first; `next` is where to go on. */
  forwards: (view: StreamView, from: number, limit: number) => { entries: LogEntry[]; next: number };
  /** Events from a revision down, newest first; `next` is where to go on. */
  backwards: (view: StreamView, from: number, limit: number) => { entries: LogEntry[]; next: number };
};

/** A reader over a log and its index; `now` gives milliseconds since the epoch. */
export const createStreamReader = (
  log: EventLog,
  index: StreamIndex,
  heads: StreamHeads,
  now: () => number,
): StreamReader => {
  const look = async (stream: string): Promise<StreamState> => {
    for (;;) {
      const head = heads.get(stream);
      const { key, last, policy, position } = head;
      const tombstoned = isMetastream(stream) ? heads.get(originalOf(stream)).tombstoned : head.tombstoned;
      // An append under way is waited for: what it changes must not be seen before it is safe.
      const safe = await log.settled(position).then(
        () => true,
        () => false,
      );
      if (!safe) continue;
      if (tombstoned) return 'deleted';
      if (last < 0 || policy.softDeleted) return 'missing';
      return { key, last, policy, first: firstReadable(policy, last) };
    }
  };
  const fetch = (view: StreamView, places: readonly { revision: number; position: number }[]) => {
    const entries: LogEntry[] = [];
    const time = now();
    let bytes = 0;
    let reached: number | undefined;
    for (const { revision, position } of places) {
      reached = revision;
      const entry = log.at(position);
      if (entry === undefined || isTooOld(view.policy, entry, time)) continue;
      entries.push(entry);
      bytes += entry.body.length;
      if (bytes > chunkBytes) break;
    }
    return { entries, reached };
  };
  return {
    keyOf: (stream) => heads.get(stream).key,
    lastRevision: (stream) => heads.get(stream).last,
    look,
    forwards: (view, from, limit) => {
      const count = Math.min(limit, placesPerChunk);
      const start = Math.max(from, view.first);
      const { entries, reached } = fetch(view, index.forwards(view.key, start, view.last, count));
      return { entries, next: reached === undefined ? view.last + 1 : reached + 1 };
    },
    backwards: (view, from, limit) => {
      const count = Math.min(limit, placesPerChunk);
      const start = Math.min(from, view.last);
      const { entries, reached } = fetch(view, index.backwards(view.key, start, view.first, count));
      return { entries, next: reached === undefined ? view.first - 1 : reached - 1 };
    },
  };
};

const isTooOld = (policy: StreamPolicy, entry: LogEntry, time: number): boolean =>
  policy.maxAge !== undefined && isExpired(policy, decodeRecord(entry.body).created, time);

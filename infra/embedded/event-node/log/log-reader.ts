import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { LogEntry } from './tail-cache.ts';

/** Stops a chunk of events before it gets too large to hold. */
const chunkBytes = 1024 * 1024;

/** Reads stored events from the log file. Scavenged events are passed over. */
export type LogReader = {
  /** Events after a position up to another, oldest first; `end` is how far it looked. */
  after: (position: number, upTo: number, limit: number) => LogChunk;
  /** Events before a position, newest first; `end` is how far it looked. */
  before: (position: number, limit: number) => LogChunk;
  at: (position: number) => LogEntry | undefined;
};
export type LogChunk = { entries: LogEntry[]; end: number };

const toEntry = (row: Record<string, SQLOutputValue>): LogEntry => {
  const body = row['body'] as Uint8Array;
  return {
    position: Number(row['position']),
    stream: Number(row['stream']),
    revision: Number(row['revision']),
    body: Buffer.from(body.buffer, body.byteOffset, body.byteLength),
  };
};

/** A reader over an open log file. */
export const createLogReader = (file: DatabaseSync): LogReader => {
  const columns = 'select position, stream, revision, body from events where';
  const forwards = file.prepare(`${columns} position > ? and position <= ? order by position limit ?`);
  const backwards = file.prepare(`${columns} position < ? order by position desc limit ?`);
  const one = file.prepare(`${columns} position = ? and body is not null`);
  const collect = (rows: Iterable<Record<string, SQLOutputValue>>, limit: number, farEnd: number): LogChunk => {
    const entries: LogEntry[] = [];
    let end = farEnd;
    let bytes = 0;
    let seen = 0;
    for (const row of rows) {
      seen += 1;
      end = Number(row['position']);
      if (row['body'] !== null) entries.push(toEntry(row));
      bytes += entries.at(-1)?.body.length ?? 0;
      if (bytes > chunkBytes) return { entries, end };
    }
    return { entries, end: seen < limit ? farEnd : end };
  };
  return {
    after: (position, upTo, limit) => collect(forwards.iterate(position, upTo, limit), limit, upTo),
    before: (position, limit) => collect(backwards.iterate(position, limit), limit, 1),
    at: (position) => {
      const row = one.get(position);
      return row === undefined ? undefined : toEntry(row);
    },
  };
};

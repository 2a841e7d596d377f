/** One event of the log, stored or about to be. */
export type LogEntry = { position: number; stream: number; revision: number; body: Buffer };

/** The newest events in memory, without a hole, so that live readers do not touch the disk. */
export type TailCache = {
  add: (entry: LogEntry) => void;
  at: (position: number) => LogEntry | undefined;
  /** Position of the oldest entry; one past the newest when empty. */
  start: () => number;
  /** Forgets entries from this position on: they were never stored. */
  dropFrom: (position: number) => void;
  /** Forgets the oldest entries until the rest fits, but never one beyond `stored`. */
  trim: (stored: number) => void;
};

/** A tail cache that keeps at most so many bytes of stored events; `next` is the next position of the log. */
export const createTailCache = (maxBytes: number, next: number): TailCache => {
  const overhead = 256;
  let entries: (LogEntry | undefined)[] = [];
  let head = 0;
  let first = next;
  let bytes = 0;
  const at = (position: number): LogEntry | undefined =>
    position < first ? undefined : entries[head + position - first];
  const compact = (): void => {
    if (head < 4096 || head * 2 < entries.length) return;
    entries = entries.slice(head);
    head = 0;
  };
  return {
    at,
    add: (entry) => {
      entries.push(entry);
      bytes += entry.body.length + overhead;
    },
    start: () => first,
    dropFrom: (position) => {
      while (entries.length > head && first + entries.length - head > position) {
        bytes -= (entries.pop()?.body.length ?? 0) + overhead;
      }
      first = Math.min(first, position);
    },
    trim: (stored) => {
      while (bytes > maxBytes && head < entries.length && first <= stored) {
        bytes -= (entries[head]?.body.length ?? 0) + overhead;
        entries[head] = undefined;
        head += 1;
        first += 1;
      }
      compact();
    },
  };
};

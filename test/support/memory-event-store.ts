import {
  comparePositions,
  NO_STREAM,
  RevisionConflictError,
  StoreUnavailableError,
  type Appended,
  type EventStore,
  type FeedItem,
  type Filter,
  type NewEvent,
  type Position,
  type ReadOptions,
  type StoredEvent,
  type Subscription,
} from '../../src/kernel/event-store.ts';
import type { EventMetadata } from '../../src/kernel/message.ts';

/** The twin of the real store, with the handles that tests need. */
export type MemoryEventStore = EventStore &
  Readonly<{
    /** Everything that is in the log, oldest first. */
    log: () => readonly StoredEvent[];
    /** How many reads of streams there were. */
    reads: () => number;
    /** While on, every call fails as if the server were away; subscriptions end with an error. */
    outage: (on: boolean) => void;
    /** Runs before each append that would be accepted; throw here to lose it, append here to win a race against it. */
    beforeAppend: (hook: ((stream: string, events: readonly NewEvent[]) => Promise<void> | void) | undefined) => void;
  }>;

const wanted = (event: StoredEvent, filter: Filter | undefined): boolean =>
  !event.type.startsWith('$') &&
  (filter === undefined || filter.streamPrefixes.length === 0
    ? !event.stream.startsWith('$')
    : filter.streamPrefixes.some((prefix) => event.stream.startsWith(prefix)));

const asJson = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

/** An event store in this process's memory, true to the port: conflicts, repeated appends, filters, subscriptions. */
export const memoryEventStore = (now: () => Date = () => new Date()): MemoryEventStore => {
  let log: StoredEvent[] = [];
  const streams = new Map<string, StoredEvent[]>();
  const listeners = new Set<() => void>();
  let next = 1n;
  let reads = 0;
  let away = false;
  let hook: ((stream: string, events: readonly NewEvent[]) => Promise<void> | void) | undefined;

  const here = (): void => {
    if (away) throw new StoreUnavailableError('the memory store is away');
  };
  const wake = (): void => {
    for (const listener of [...listeners]) listener();
  };
  const ofStream = (stream: string): readonly StoredEvent[] => streams.get(stream) ?? [];
  const revisionOf = (stream: string): bigint => ofStream(stream).at(-1)?.revision ?? NO_STREAM;

  /** What an earlier, equal append answered; undefined when this one is new. */
  const repeated = (stream: string, expected: bigint | 'any', events: readonly NewEvent[]): Appended | undefined => {
    const stored = ofStream(stream);
    const start = stored.findIndex((event) =>
      expected === 'any' ? event.id === events[0]?.id : event.revision === expected + 1n,
    );
    if (start < 0) return undefined;
    const same = stored.slice(start, start + events.length);
    const last = same.at(-1);
    if (last === undefined || same.length < events.length) return undefined;
    if (!same.every((event, index) => event.id === events[index]?.id)) return undefined;
    return { revision: last.revision, position: last.position };
  };

  const write = (stream: string, events: readonly NewEvent[]): Appended => {
    let revision = revisionOf(stream);
    let position: Position = { commit: next, prepare: next };
    const created = now();
    const added = asJson(events).map(({ id, type, data, metadata }): StoredEvent => {
      revision += 1n;
      position = { commit: next, prepare: next };
      next += 1n;
      return { id, stream, revision, type, data, metadata: metadata as EventMetadata, created, position };
    });
    log.push(...added);
    streams.set(stream, [...ofStream(stream), ...added]);
    wake();
    return { revision, position };
  };

  const append = async (stream: string, expected: bigint | 'any', events: readonly NewEvent[]): Promise<Appended> => {
    await Promise.resolve();
    here();
    if (events.length === 0) throw new Error('nothing to append');
    const earlier = repeated(stream, expected, events);
    if (earlier !== undefined) return earlier;
    await hook?.(stream, events);
    here();
    if (expected !== 'any' && revisionOf(stream) !== expected) throw new RevisionConflictError(stream, expected);
    return write(stream, events);
  };

  const read = async (stream: string, options: ReadOptions = {}): Promise<readonly StoredEvent[]> => {
    reads += 1;
    await Promise.resolve();
    here();
    const { from, maxCount, backwards } = options;
    const events = ofStream(stream);
    return (backwards === true ? events.toReversed() : events)
      .filter(({ revision }) => from === undefined || (backwards === true ? revision <= from : revision >= from))
      .slice(0, maxCount);
  };

  const after = (from: Position | undefined): readonly StoredEvent[] => {
    if (from === undefined) return log;
    // Newest first: a live subscription is never far behind.
    const last = log.findLastIndex((event) => comparePositions(event.position, from) <= 0);
    return log.slice(last + 1);
  };

  const readAll: EventStore['readAll'] = async ({ from, maxCount, filter }) => {
    await Promise.resolve();
    here();
    return after(from)
      .filter((event) => wanted(event, filter))
      .slice(0, maxCount);
  };

  const change = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        listeners.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      listeners.add(done);
      signal.addEventListener('abort', done);
      if (signal.aborted) done();
    });

  const feed = async function* (
    start: Position | undefined,
    filter: Filter | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<readonly FeedItem[]> {
    let from = start;
    let caughtUp = false;
    const stopped = (): boolean => signal.aborted;
    while (!stopped()) {
      here();
      const changed = change(signal);
      const events = after(from);
      for (const event of events) {
        here();
        if (stopped()) return;
        if (wanted(event, filter)) yield [{ kind: 'event', event }];
        from = event.position;
      }
      const last = events.at(-1);
      if (last !== undefined && !wanted(last, filter)) yield [{ kind: 'checkpoint', position: last.position }];
      if (!caughtUp) yield [{ kind: 'caught-up' }];
      caughtUp = true;
      if (after(from).length === 0) await changed;
    }
  };

  return {
    read,
    append,
    readAll,
    head: async () => {
      await Promise.resolve();
      here();
      return log.at(-1)?.position;
    },
    subscribe: ({ from, filter, signal }): Subscription => feed(from, filter, signal),
    keepLast: async (stream, maxCount) => {
      await Promise.resolve();
      here();
      const kept = new Set(ofStream(stream).slice(-maxCount));
      log = log.filter((event) => event.stream !== stream || kept.has(event));
      streams.set(stream, [...kept]);
    },
    ping: async () => {
      await Promise.resolve();
      here();
    },
    close: async () => {
      await Promise.resolve();
      away = true;
      wake();
    },
    log: () => log,
    reads: () => reads,
    outage: (on) => {
      away = on;
      wake();
    },
    beforeAppend: (next_) => {
      hook = next_;
    },
  };
};

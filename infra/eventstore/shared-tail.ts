import {
  comparePositions,
  type EventStore,
  type FeedItem,
  type Filter,
  type Position,
  type StoredEvent,
  type Subscription,
} from '../../src/kernel/event-store.ts';

/** Events that are kept for those who are a little behind; beyond, they read from the store by themselves. */
const KEPT = 8192;

type Options = Parameters<EventStore['subscribe']>[0];

const matches = (event: StoredEvent, filter: Filter | undefined): boolean => {
  const prefixes = filter?.streamPrefixes ?? [];
  return prefixes.length === 0 || prefixes.some((prefix) => event.stream.startsWith(prefix));
};

const later = (a: Position | undefined, b: Position | undefined): Position | undefined =>
  a === undefined || (b !== undefined && comparePositions(b, a) > 0) ? b : a;

/** How soon a reader hears, in milliseconds, that the log has gone on without anything for it. */
const PASSED_AFTER = 250;

/** A reader at the end of the tail. */
type Waiter = Readonly<{ filter: Filter | undefined; wake: () => void }>;

/** The newest part of the log in memory, fed by one subscription. */
const logTail = (store: EventStore, start: Position | undefined) => {
  const stop = new AbortController();
  let events: StoredEvent[] = [];
  /** The number of `events[0]`, counting from the tail's start. */
  let first = 0;
  /** Everything after this is in `events`; undefined: everything is. */
  let floor = start;
  let end = start;
  let failure: unknown;
  const waiters = new Set<Waiter>();
  let passing: NodeJS.Timeout | undefined;

  const wakeAll = (): void => {
    clearTimeout(passing);
    passing = undefined;
    for (const { wake } of waiters) wake();
  };

  /** Wakes whom the event is for at once, and the others now and then: most events are for few of the readers. */
  const wakeFor = (event: StoredEvent | undefined): void => {
    if (event !== undefined) for (const { filter, wake } of waiters) if (matches(event, filter)) wake();
    passing ??= setTimeout(wakeAll, PASSED_AFTER).unref();
  };

  const keep = (event: StoredEvent): void => {
    events.push(event);
    if (events.length < KEPT * 2) return;
    floor = events[KEPT - 1]?.position;
    events = events.slice(KEPT);
    first += KEPT;
  };

  const fill = async (): Promise<void> => {
    const from = start === undefined ? {} : { from: start };
    try {
      for await (const item of store.subscribe({ ...from, signal: stop.signal })) {
        if (item.kind === 'caught-up') continue;
        if (item.kind === 'event') keep(item.event);
        end = item.kind === 'event' ? item.event.position : item.position;
        wakeFor(item.kind === 'event' ? item.event : undefined);
      }
    } catch (error) {
      failure = error;
    }
    failure ??= new Error('the tail of the log was closed');
    wakeAll();
  };
  void fill();

  /** The number of the first event after a position that is covered. */
  const numberAfter = (position: Position | undefined): number => {
    if (position === undefined) return first;
    let [low, high] = [0, events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const event = events[middle];
      if (event !== undefined && comparePositions(event.position, position) <= 0) low = middle + 1;
      else high = middle;
    }
    return first + low;
  };

  return {
    covers: (position: Position | undefined): boolean =>
      floor === undefined || (position !== undefined && comparePositions(position, floor) >= 0),
    numberAfter,
    /** The event with a number; undefined when it has not come yet. `fallen` tells that it is no longer here. */
    at: (number: number): StoredEvent | undefined => events[number - first],
    fallen: (number: number): boolean => number < first,
    end: (): Position | undefined => end,
    failed: (): boolean => failure !== undefined,
    failure: (): unknown => failure,
    /** Resolves when there is something new for a reader, or when the signal aborts. */
    news: (filter: Filter | undefined, signal: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        const wake = (): void => {
          waiters.delete(waiter);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        const waiter: Waiter = { filter, wake };
        waiters.add(waiter);
        signal.addEventListener('abort', wake, { once: true });
        if (signal.aborted) wake();
      }),
    close: (): void => stop.abort(),
  };
};

type Tail = ReturnType<typeof logTail>;

/** Follows the tail from a covered position; ends when the reader was too slow and what comes next is gone. */
async function* followTail(tail: Tail, { from, filter, signal }: Options): AsyncGenerator<FeedItem, void> {
  let number = tail.numberAfter(from);
  let told = from;
  let live = false;
  while (!signal.aborted && !tail.fallen(number)) {
    if (tail.failed()) throw tail.failure();
    const event = tail.at(number);
    if (event !== undefined) {
      number += 1;
      if (!matches(event, filter)) continue;
      told = event.position;
      yield { kind: 'event', event };
      continue;
    }
    const reached = tail.end();
    if (!live) yield { kind: 'caught-up' };
    live = true;
    if (reached !== undefined && later(told, reached) !== told) {
      told = reached;
      yield { kind: 'checkpoint', position: reached };
    }
    if (tail.at(number) === undefined && !tail.failed()) await tail.news(filter, signal);
  }
}

/**
 * The same store, whose live subscriptions share one: what many readers of this process want is fetched and parsed once.
 * A reader that is behind has a subscription of its own until it meets the shared one.
 */
export const withSharedTail = (store: EventStore): EventStore => {
  let tail: Promise<Tail> | undefined;
  let closed = false;

  const liveTail = async (): Promise<Tail> => {
    const opened = tail;
    const current = await opened?.catch(() => undefined);
    if (current !== undefined && !current.failed()) return current;
    // Of several readers that find it broken, one opens the next.
    if (tail === opened) tail = store.head().then((head) => logTail(store, head));
    return tail ?? liveTail();
  };

  /** Reads by itself until everything up to `meeting`, where the tail takes over, has been seen. */
  async function* catchUp(options: Options, meeting: Position | undefined, seen: (at: Position | undefined) => void) {
    const own = new AbortController();
    const signal = AbortSignal.any([options.signal, own.signal]);
    let at = options.from;
    for await (const item of store.subscribe({ ...options, signal })) {
      if (item.kind === 'event') at = item.event.position;
      if (item.kind === 'checkpoint') at = item.position;
      // What the tail knew before this subscription began has been looked at by the time that this one has caught up.
      if (item.kind === 'caught-up') at = later(at, meeting);
      seen(at);
      if (item.kind === 'caught-up') {
        own.abort();
        return;
      }
      yield item;
    }
  }

  async function* subscribe(options: Options): AsyncGenerator<FeedItem, void> {
    let at = options.from;
    while (!options.signal.aborted) {
      const shared = await liveTail();
      if (closed) return;
      const from = at === undefined ? {} : { from: at };
      const reading: AsyncIterable<FeedItem> = shared.covers(at)
        ? followTail(shared, { ...options, ...from })
        : catchUp({ ...options, ...from }, shared.end(), (reached) => (at = reached));
      for await (const item of reading) {
        if (item.kind !== 'caught-up') at = item.kind === 'event' ? item.event.position : item.position;
        yield item;
      }
    }
  }

  return {
    ...store,
    subscribe: (options): Subscription => subscribe(options),
    close: async () => {
      closed = true;
      const open = await tail?.catch(() => undefined);
      open?.close();
      await store.close();
    },
  };
};

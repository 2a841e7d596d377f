import {
  comparePositions,
  isAfter,
  StoreUnavailableError,
  type EventStore,
  type FeedItem,
  type Filter,
  type Position,
  type StoredEvent,
  type Subscription,
} from '../../src/kernel/event-store.ts';

export type TailOptions = Parameters<EventStore['subscribe']>[0];

/** Events that are kept for those who are a little behind; beyond, they read from the store by themselves. */
const KEPT = 8192;

const matches = (event: StoredEvent, filter: Filter | undefined): boolean => {
  const prefixes = filter?.streamPrefixes ?? [];
  return prefixes.length === 0 || prefixes.some((prefix) => event.stream.startsWith(prefix));
};

/** The later of two positions; undefined stands before all. */
export const later = (a: Position | undefined, b: Position | undefined): Position | undefined =>
  a === undefined || (b !== undefined && comparePositions(b, a) > 0) ? b : a;

/** How soon a reader hears, in milliseconds, that the log has gone on without anything for it. */
const PASSED_AFTER = 250;

/** A reader of the tail. `wake` is there while it waits at the end. */
type Reader = { readonly filter: Filter | undefined; wake: (() => void) | undefined };

type TailReader = Readonly<{ news: () => Promise<void>; leave: () => void; isReading: () => boolean }>;

/** The newest part of the log in memory, fed by one subscription. */
export const logTail = (store: EventStore, start: Position | undefined) => {
  const stop = new AbortController();
  let events: StoredEvent[] = [];
  /** The number of `events[0]`, counting from the tail's start. */
  let first = 0;
  /** Everything after this is in `events`; undefined: everything is. */
  let floor = start;
  let end = start;
  let failure: unknown;
  let lastHeard = performance.now();
  const readers = new Set<Reader>();
  /** Events that those at the end have not been woken for. */
  let unheard: StoredEvent[] = [];
  let passing: NodeJS.Timeout | undefined;

  const wakeAll = (): void => {
    clearTimeout(passing);
    passing = undefined;
    unheard = [];
    for (const { wake } of readers) wake?.();
  };

  /** Wakes whom the events are for, and the others now and then: most events are for few of the readers. */
  const wakeForNew = (): void => {
    const news = unheard;
    unheard = [];
    for (const { filter, wake } of readers)
      if (wake !== undefined && news.some((event) => matches(event, filter))) wake();
  };

  /** What arrives together is told of together. */
  const tell = (event: StoredEvent | undefined): void => {
    passing ??= setTimeout(wakeAll, PASSED_AFTER).unref();
    if (event === undefined) return;
    if (unheard.length === 0) setImmediate(wakeForNew);
    unheard.push(event);
  };

  const keep = (event: StoredEvent): void => {
    events.push(event);
    if (events.length < KEPT * 2) return;
    floor = events[KEPT - 1]?.position;
    events = events.slice(KEPT);
    first += KEPT;
  };

  const take = (item: FeedItem): void => {
    if (item.kind === 'caught-up') return;
    if (item.kind === 'event') keep(item.event);
    end = item.kind === 'event' ? item.event.position : item.position;
    tell(item.kind === 'event' ? item.event : undefined);
  };

  const fill = async (): Promise<void> => {
    const from = start === undefined ? {} : { from: start };
    try {
      for await (const items of store.subscribe({ ...from, signal: stop.signal })) {
        lastHeard = performance.now();
        items.forEach(take);
      }
    } catch (error) {
      failure = error;
    }
    failure ??= new StoreUnavailableError('the tail of the log was closed');
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

  /** Begins to read; `leave` ends it, and any wait. `news` resolves when there is something new, or when it has left. */
  const reader = (filter: Filter | undefined): TailReader => {
    const one: Reader = { filter, wake: undefined };
    readers.add(one);
    return {
      news: () =>
        new Promise((resolve) => {
          if (!readers.has(one)) return resolve();
          one.wake = () => {
            one.wake = undefined;
            resolve();
          };
        }),
      leave: () => {
        readers.delete(one);
        one.wake?.();
      },
      isReading: () => readers.has(one),
    };
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
    reader,
    /** The events after a covered position that a filter lets pass, at most `maxCount`. */
    after: (position: Position | undefined, filter: Filter | undefined, maxCount: number): readonly StoredEvent[] => {
      const found: StoredEvent[] = [];
      for (let at = numberAfter(position) - first; at < events.length && found.length < maxCount; at += 1) {
        const event = events[at];
        if (event !== undefined && matches(event, filter)) found.push(event);
      }
      return found;
    },
    /** True when everything up to a position has come, or does so within some milliseconds. */
    reaches: async (position: Position, limitMs: number): Promise<boolean> => {
      const isThere = (): boolean => end !== undefined && comparePositions(end, position) >= 0;
      if (isThere()) return true;
      const waiting = reader(undefined);
      const timer = setTimeout(waiting.leave, limitMs);
      while (!isThere() && waiting.isReading() && failure === undefined) await waiting.news();
      clearTimeout(timer);
      waiting.leave();
      return isThere();
    },
    /** Milliseconds since anything was heard from the store. */
    silentFor: (): number => performance.now() - lastHeard,
    /** Ends it; readers are told. */
    close: (): void => stop.abort(),
  };
};

export type Tail = ReturnType<typeof logTail>;

/** The most events that a reader is handed at once. */
const MOST_AT_ONCE = 256;

/** Follows the tail from a covered position; ends when the reader was too slow and what comes next is gone. */
export const followTail = (tail: Tail, { from, filter, signal }: TailOptions): Subscription => {
  let number = tail.numberAfter(from);
  let told = from;
  let live = false;
  const reader = tail.reader(filter);
  signal.addEventListener('abort', reader.leave, { once: true });
  if (signal.aborted) reader.leave();
  const close = (): void => {
    signal.removeEventListener('abort', reader.leave);
    reader.leave();
  };

  const nextEvent = (): StoredEvent | undefined => {
    for (let event = tail.at(number); event !== undefined; event = tail.at(number)) {
      number += 1;
      // A reader may come from further on than the tail has got: what the tail hears of then, it has seen.
      if (matches(event, filter) && isAfter(event.position, from)) return event;
    }
    return undefined;
  };

  const nextEvents = (): FeedItem[] => {
    const items: FeedItem[] = [];
    while (items.length < MOST_AT_ONCE) {
      const event = nextEvent();
      if (event === undefined) break;
      told = event.position;
      items.push({ kind: 'event', event });
    }
    return items;
  };

  /** What there is to tell now; empty when that is nothing. */
  const now = (): readonly FeedItem[] => {
    const items = nextEvents();
    if (items.length === MOST_AT_ONCE) return items;
    if (!live) {
      live = true;
      return [...items, { kind: 'caught-up' }];
    }
    if (items.length > 0) return items;
    const reached = tail.end();
    if (reached === undefined || later(told, reached) === told) return [];
    told = reached;
    return [{ kind: 'checkpoint', position: reached }];
  };

  const next = async (): Promise<IteratorResult<readonly FeedItem[], undefined>> => {
    while (reader.isReading() && !tail.fallen(number)) {
      if (tail.failed()) {
        close();
        throw tail.failure();
      }
      const value = now();
      if (value.length > 0) return { done: false, value };
      await reader.news();
    }
    close();
    return { done: true, value: undefined };
  };
  return {
    [Symbol.asyncIterator]: () => ({
      next,
      return: () => {
        close();
        return Promise.resolve({ done: true, value: undefined });
      },
    }),
  };
};

import {
  isAfter,
  StoreUnavailableError,
  type EventStore,
  type FeedItem,
  type Filter,
  type Position,
  type StoredEvent,
} from '../../src/kernel/event-store.ts';

export type TailOptions = Parameters<EventStore['subscribe']>[0];

/** Events that are kept for those who are a little behind; beyond, they read from the store by themselves. */
const KEPT = 8192;

/** True when a filter lets an event pass. */
export const matches = (event: StoredEvent, filter: Filter | undefined): boolean => {
  const prefixes = filter?.streamPrefixes ?? [];
  return prefixes.length === 0 || prefixes.some((prefix) => event.stream.startsWith(prefix));
};

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

  /** Ends it for all readers, for the first reason given. */
  const fail = (reason: unknown): void => {
    failure ??= reason;
    stop.abort();
    wakeAll();
  };

  const fill = async (): Promise<void> => {
    const from = start === undefined ? {} : { from: start };
    try {
      for await (const items of store.subscribe({ ...from, signal: stop.signal })) {
        items.forEach(take);
      }
      fail(new StoreUnavailableError('the tail of the log has ended'));
    } catch (error) {
      fail(error);
    }
  };
  void fill();

  /** The number of the first event after a position that is covered. */
  const numberAfter = (position: Position | undefined): number => {
    if (position === undefined) return first;
    let [low, high] = [0, events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      const event = events[middle];
      if (event !== undefined && !isAfter(event.position, position)) low = middle + 1;
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
    covers: (position: Position | undefined): boolean => floor === undefined || !isAfter(floor, position),
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
      const isThere = (): boolean => !isAfter(position, end);
      if (isThere()) return true;
      const waiting = reader(undefined);
      const timer = setTimeout(waiting.leave, limitMs);
      while (!isThere() && waiting.isReading() && failure === undefined) await waiting.news();
      clearTimeout(timer);
      waiting.leave();
      return isThere();
    },
    /** Ends it; readers are told. */
    close: (): void => fail(new StoreUnavailableError('the tail of the log was closed')),
  };
};

export type Tail = ReturnType<typeof logTail>;

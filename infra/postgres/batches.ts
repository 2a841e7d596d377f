import { setTimeout as delay } from 'node:timers/promises';
import { comparePositions, type FeedItem, type Position, type StoredEvent } from '../../src/kernel/event-store.ts';

/** Events to be written together. `through`: everything up to here has been looked at; undefined when nothing new was. */
export type Batch = Readonly<{ events: readonly StoredEvent[]; through: Position | undefined; caughtUp: boolean }>;

export type BatchLimits = Readonly<{
  /** The most events of one batch. */
  max: number;
  /** Milliseconds that a batch is held open when it follows another at once. */
  linger: number;
  /** True while somebody waits for what is read here: nothing is held open then. */
  hurried?: () => boolean;
}>;

const batchOf = (items: readonly FeedItem[]): Batch => {
  const events: StoredEvent[] = [];
  let through: Position | undefined;
  let caughtUp = false;
  for (const item of items) {
    if (item.kind === 'caught-up') {
      caughtUp = true;
      continue;
    }
    const { position } = item.kind === 'event' ? item.event : item;
    if (item.kind === 'event') events.push(item.event);
    // A checkpoint from beside the feed may stand behind events that came earlier.
    if (through === undefined || comparePositions(position, through) > 0) through = position;
  }
  return { events, through, caughtUp };
};

/** What has arrived and not been written. `news` resolves at the next arrival, `room` when some was taken. */
type Box = {
  readonly items: FeedItem[];
  news: PromiseWithResolvers<undefined>;
  room: PromiseWithResolvers<undefined>;
  ended: boolean;
  failure: Readonly<{ error: unknown }> | undefined;
  closed: boolean;
};

const emptyBox = (): Box => ({
  items: [],
  news: Promise.withResolvers(),
  room: Promise.withResolvers(),
  ended: false,
  failure: undefined,
  closed: false,
});

const arrived = (box: Box): void => {
  box.news.resolve(undefined);
  box.news = Promise.withResolvers();
};

const takeFrom = (box: Box, max: number): readonly FeedItem[] => {
  const items = box.items.splice(0, max);
  box.room.resolve(undefined);
  box.room = Promise.withResolvers();
  return items;
};

const isFull = (box: Box, most: number): boolean => box.items.length >= most && !box.closed;

/** Reads the feed into the box, at most two batches ahead. */
const fill = async (box: Box, feed: AsyncIterable<FeedItem>, max: number): Promise<void> => {
  try {
    for await (const item of feed) {
      if (box.closed) return;
      box.items.push(item);
      arrived(box);
      while (isFull(box, 2 * max)) await box.room.promise;
    }
  } catch (error) {
    box.failure = { error };
  } finally {
    box.ended = true;
    arrived(box);
  }
};

/** Waits until the box holds a whole batch or somebody is in a hurry, at most for `limit` milliseconds. */
const gather = async (box: Box, { max, linger: limit, hurried }: BatchLimits): Promise<void> => {
  const end = performance.now() + limit;
  const over = new AbortController();
  const timer = delay(limit, undefined, { signal: over.signal, ref: false }).catch(() => undefined);
  while (performance.now() < end && box.items.length < max && !box.ended && hurried?.() !== true)
    await Promise.race([timer, box.news.promise]);
  over.abort();
};

/** A feed in batches, with ways to reach it from beside: `passed` says that the log holds nothing for it up to here. */
export type Batches = Readonly<{
  [Symbol.asyncIterator]: () => AsyncGenerator<Batch>;
  passed: (position: Position) => void;
  /** Looks again whether somebody is in a hurry. */
  hurry: () => void;
}>;

/**
 * Cuts a feed into batches of what has arrived while the last one was written: one event when live, `max` when catching
 * up. A batch that follows another at once waits a little for company. The reader is at most two batches ahead. Ends when `signal` aborts; throws what the feed throws.
 */
export const batches = (feed: AsyncIterable<FeedItem>, limits: BatchLimits, signal: AbortSignal): Batches => {
  const { max, linger } = limits;
  const box = emptyBox();
  const end = (): void => {
    box.ended = true;
    arrived(box);
  };
  const generate = async function* (): AsyncGenerator<Batch> {
    // A feed that is slow to end does not hold its reader.
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    void fill(box, feed, max);
    let last = Number.NEGATIVE_INFINITY;
    try {
      for (;;) {
        while (box.items.length === 0 && !box.ended) await box.news.promise;
        if (box.items.length === 0) break;
        if (performance.now() - last < linger) await gather(box, limits);
        yield batchOf(takeFrom(box, max));
        last = performance.now();
      }
    } finally {
      box.closed = true;
      takeFrom(box, 0);
      signal.removeEventListener('abort', end);
    }
    if (box.failure !== undefined) throw box.failure.error;
  };
  return {
    [Symbol.asyncIterator]: generate,
    passed: (position) => {
      box.items.push({ kind: 'checkpoint', position });
      arrived(box);
    },
    hurry: () => arrived(box),
  };
};

import {
  isAfter,
  type FeedItem,
  type Position,
  type StoredEvent,
  type Subscription,
} from '../../src/kernel/event-store.ts';

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
    if (isAfter(position, through)) through = position;
  }
  return { events, through, caughtUp };
};

/** What has arrived and not been written. `news` is called at the next arrival, `room` when some was taken. */
type Box = {
  items: FeedItem[];
  news: (() => void) | undefined;
  room: (() => void) | undefined;
  ended: boolean;
  failure: Readonly<{ error: unknown }> | undefined;
  closed: boolean;
};

const emptyBox = (): Box => ({
  items: [],
  news: undefined,
  room: undefined,
  ended: false,
  failure: undefined,
  closed: false,
});

const takeFrom = (box: Box, max: number): readonly FeedItem[] => {
  const items = box.items.splice(0, max);
  box.room?.();
  return items;
};

const isFull = (box: Box, most: number): boolean => box.items.length >= most && !box.closed;

const room = (box: Box): Promise<void> =>
  new Promise((resolve) => {
    box.room = resolve;
  });

/** Reads the feed into the box, about two batches ahead at the most. */
const fill = async (box: Box, feed: Subscription, max: number): Promise<void> => {
  try {
    for await (const items of feed) {
      if (box.closed) return;
      for (const item of items) box.items.push(item);
      box.news?.();
      while (isFull(box, 2 * max)) await room(box);
    }
  } catch (error) {
    box.failure = { error };
  } finally {
    box.ended = true;
    box.news?.();
  }
};

/** Waits until `enough`, looked at on every arrival, at most for `limit` milliseconds when given. */
const waitFor = (box: Box, enough: () => boolean, limit?: number): Promise<void> =>
  new Promise((resolve) => {
    if (enough()) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      box.news = undefined;
      resolve();
    };
    const timer = limit === undefined ? undefined : setTimeout(done, limit).unref();
    box.news = () => {
      if (enough()) done();
    };
  });

/** Waits until the box holds a whole batch or somebody is in a hurry, at most for `limit` milliseconds. */
const gather = (box: Box, { max, linger: limit, hurried }: BatchLimits): Promise<void> =>
  waitFor(box, () => box.items.length >= max || box.ended || hurried?.() === true, limit);

/** A feed in batches, with ways to reach it from beside: `passed` says that the log holds nothing for it up to here. */
export type Batches = Readonly<{
  [Symbol.asyncIterator]: () => AsyncGenerator<Batch>;
  passed: (position: Position) => void;
  /** Looks again whether somebody is in a hurry. */
  hurry: () => void;
}>;

/**
 * Cuts a feed into batches of what has arrived while the last one was written: one event when live, `max` when catching
 * up. A batch that follows another at once waits a little for company. The reader is about two batches ahead at the most. Ends when `signal` aborts; throws what the feed throws.
 */
export const batches = (feed: Subscription, limits: BatchLimits, signal: AbortSignal): Batches => {
  const { max, linger } = limits;
  const box = emptyBox();
  const end = (): void => {
    box.ended = true;
    box.news?.();
  };
  const generate = async function* (): AsyncGenerator<Batch> {
    // A feed that is slow to end does not hold its reader.
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    void fill(box, feed, max);
    let last = Number.NEGATIVE_INFINITY;
    try {
      for (;;) {
        await waitFor(box, () => box.items.length > 0 || box.ended);
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
      box.news?.();
    },
    hurry: () => box.news?.(),
  };
};

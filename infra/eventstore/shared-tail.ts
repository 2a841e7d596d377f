import {
  later,
  reachedBy,
  type EventStore,
  type FeedItem,
  type Position,
  type Subscription,
} from '../../src/kernel/event-store.ts';
import { watchTail } from './tail-watch.ts';
import { followTail } from './follow-tail.ts';
import { logTail, type Tail, type TailOptions as Options } from './log-tail.ts';

/** How long a read waits for the tail to have what the store has, in milliseconds. */
const LATE_MS = 25;
/** Milliseconds between looks whether the tail hears what the store has. */
const WATCH_MS = 10_000;

/**
 * The same store, whose live subscriptions share one: what many readers of this process want is fetched and parsed once.
 * A reader that is behind has a subscription of its own until it meets the shared one.
 */
export const withSharedTail = (store: EventStore, watchMs = WATCH_MS): EventStore => {
  let tail: Promise<Tail> | undefined;
  let closed = false;

  const opened = async (): Promise<Tail> => {
    const made = logTail(store, await store.head());
    watchTail(made, store, watchMs);
    if (closed) made.close();
    return made;
  };

  const liveTail = async (): Promise<Tail> => {
    const known = tail;
    const current = await known?.catch(() => undefined);
    if (current !== undefined && !current.failed()) return current;
    // Of several readers that find it broken, one opens the next.
    if (tail === known) tail = opened();
    return tail ?? liveTail();
  };

  /** Reads by itself until everything up to `meeting`, where the tail takes over, has been seen. */
  async function* catchUp(options: Options, meeting: Position | undefined, seen: (at: Position | undefined) => void) {
    const own = new AbortController();
    const signal = AbortSignal.any([options.signal, own.signal]);
    let at = options.from;
    for await (const items of store.subscribe({ ...options, signal })) {
      const end = items.findIndex(({ kind }) => kind === 'caught-up');
      const before = end === -1 ? items : items.slice(0, end);
      at = reachedBy(before) ?? at;
      if (before.length > 0) yield before;
      if (end === -1) continue;
      // What the tail knew before this subscription began has been looked at by the time that this one has caught up.
      seen(later(at, meeting));
      own.abort();
      return;
    }
  }

  async function* subscribe(options: Options): AsyncGenerator<readonly FeedItem[], void> {
    let at = options.from;
    while (!options.signal.aborted) {
      const shared = await liveTail();
      if (closed) return;
      const from = at === undefined ? {} : { from: at };
      const reading: Subscription = shared.covers(at)
        ? followTail(shared, { ...options, ...from })
        : catchUp({ ...options, ...from }, shared.end(), (reached) => (at = reached));
      for await (const items of reading) {
        at = reachedBy(items) ?? at;
        yield items;
      }
    }
  }

  /** From memory, when that holds all of it: whoever looks for what is new does so every second. */
  const readAll: EventStore['readAll'] = async (options) => {
    const { from, filter, maxCount } = options;
    const shared = await tail?.catch(() => undefined);
    if (shared === undefined || shared.failed() || !shared.covers(from)) return store.readAll(options);
    const head = await store.head();
    const isWhole = head === undefined || (await shared.reaches(head, LATE_MS));
    // It may have let go of the oldest in the meantime.
    return isWhole && shared.covers(from) ? shared.after(from, filter, maxCount) : store.readAll(options);
  };

  return {
    ...store,
    readAll,
    subscribe,
    close: async () => {
      closed = true;
      const open = await tail?.catch(() => undefined);
      open?.close();
      await store.close();
    },
  };
};

import { isAfter, type FeedItem, type StoredEvent, type Subscription } from '../../src/kernel/event-store.ts';
import { matches, type Tail, type TailOptions } from './log-tail.ts';

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
    if (reached === undefined || !isAfter(reached, told)) return [];
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

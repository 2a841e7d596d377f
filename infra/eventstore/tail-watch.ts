import { isAfter, type EventStore, type Position } from '../../src/kernel/event-store.ts';
import type { Tail } from './log-tail.ts';

/**
 * Closes a tail that does not hear what the store has, whatever its connection says: what it misses at one look it must
 * have by the next one, `everyMs` milliseconds later. Ends with the tail.
 */
export const watchTail = (tail: Tail, store: Pick<EventStore, 'readAll'>, everyMs: number): void => {
  let missed: Position | undefined;

  const look = async (): Promise<void> => {
    const end = tail.end();
    if (missed !== undefined && isAfter(missed, end)) {
      tail.close();
      return;
    }
    const [next] = await store.readAll({ ...(end === undefined ? {} : { from: end }), maxCount: 1 });
    missed = next?.position;
  };

  const timer = setInterval(() => {
    if (tail.failed()) clearInterval(timer);
    // A store that is away says nothing about the tail.
    else look().catch(() => (missed = undefined));
  }, everyMs).unref();
};

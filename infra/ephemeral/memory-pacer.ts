import { LRUCache } from 'lru-cache';
import type { Pacer } from '../../src/kernel/pacer.ts';

const MOST_KEYS = 20_000;

/**
 * Buckets in this process alone; `now` in milliseconds. A bucket is the instant at which it will be full again: one that
 * is in the past says no more than none.
 */
export const memoryPacer = (now: () => number = () => performance.now()): Pacer => {
  const fullAt = new LRUCache<string, number>({ max: MOST_KEYS });
  return {
    take: ({ name, burst, everyMs }, key) => {
      // Whole milliseconds: sums of fractions are off by enough to refuse what is free.
      const at = Math.floor(now());
      const id = `${name} ${key}`;
      const full = Math.max(fullAt.get(id) ?? at, at);
      const waitMs = Math.ceil(full + everyMs - at - burst * everyMs);
      if (waitMs <= 0) fullAt.set(id, full + everyMs);
      return Promise.resolve(Math.max(0, waitMs));
    },
  };
};

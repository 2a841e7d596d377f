import { LRUCache } from 'lru-cache';
import type { EphemeralStore } from '../../src/kernel/ephemeral.ts';
import { fromText, toText } from './json-value.ts';

export type MemoryOptions = Readonly<{
  /** The oldest entries make room beyond this many; what goes here may vanish at any moment anyway. */
  maxEntries?: number;
  /** How often dead entries are thrown out that nobody asks for again. */
  sweepMs?: number;
  /** Milliseconds on a clock that only goes forward. */
  now?: () => number;
}>;

/** Carries work out at once; what it throws rejects, as it would over the network. */
const promised = <T>(work: () => T): Promise<T> =>
  new Promise((resolve) => {
    resolve(work());
  });

/** The ephemeral state of an application that is alone on its machine. */
export const memoryEphemeral = (options: MemoryOptions = {}): EphemeralStore => {
  const entries = new LRUCache<string, string>({
    max: options.maxEntries ?? 100_000,
    // A clock may have moved between two calls of one millisecond; a deadline is looked at each time.
    ttlResolution: 0,
    ...(options.now === undefined ? {} : { perf: { now: options.now } }),
  });
  const sweep = setInterval(() => entries.purgeStale(), options.sweepMs ?? 30_000);
  sweep.unref();

  const put = (key: string, value: unknown, ttlSeconds: number): void => {
    // As text: what comes out is what a store over the network would give, and nobody shares an object.
    entries.set(key, toText(value), { ttl: Math.max(1, ttlSeconds * 1000) });
  };

  return {
    put: (key, value, ttlSeconds) => promised(() => put(key, value, ttlSeconds)),
    get: (key) => promised(() => fromText(entries.get(key))),
    take: (key) =>
      promised(() => {
        const value = fromText(entries.get(key));
        entries.delete(key);
        return value;
      }),
    claim: (key, value, ttlSeconds) =>
      promised(() => {
        if (entries.has(key)) return false;
        put(key, value, ttlSeconds);
        return true;
      }),
    ping: () => Promise.resolve(),
    close: () => {
      clearInterval(sweep);
      entries.clear();
      return Promise.resolve();
    },
  };
};

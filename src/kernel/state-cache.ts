/** Keeps the most recently used entries, at most `capacity` of them. */
export type StateCache<T> = Readonly<{
  get: (key: string) => T | undefined;
  set: (key: string, value: T) => void;
  delete: (key: string) => void;
}>;

/** A cache that forgets the entry used longest ago. A Map iterates in insertion order, which is all that it needs. */
export const stateCache = <T>(capacity: number): StateCache<T> => {
  const entries = new Map<string, T>();
  return {
    get: (key) => {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    set: (key, value) => {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= capacity) return;
      const oldest = entries.keys().next();
      if (oldest.done !== true) entries.delete(oldest.value);
    },
    delete: (key) => {
      entries.delete(key);
    },
  };
};

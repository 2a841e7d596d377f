/** Remembers where recent event ids went, so that a repeated append without an expected revision is recognised. */
export type RecentIds = {
  add: (id: string, stream: number, revision: number) => void;
  /** The revision an id has in a stream. */
  revisionOf: (id: string, stream: number) => number | undefined;
  clear: () => void;
};

/** Keeps the last `capacity` ids. */
export const createRecentIds = (capacity: number): RecentIds => {
  const slots = new Map<string, number>();
  const ids: string[] = [];
  const streams = new Float64Array(capacity);
  const revisions = new Float64Array(capacity);
  let next = 0;
  return {
    add: (id, stream, revision) => {
      const old = ids[next];
      if (old !== undefined && slots.get(old) === next) slots.delete(old);
      ids[next] = id;
      streams[next] = stream;
      revisions[next] = revision;
      slots.set(id, next);
      next = (next + 1) % capacity;
    },
    revisionOf: (id, stream) => {
      const slot = slots.get(id);
      return slot !== undefined && streams[slot] === stream ? revisions[slot] : undefined;
    },
    clear: () => {
      slots.clear();
      ids.length = 0;
      next = 0;
    },
  };
};

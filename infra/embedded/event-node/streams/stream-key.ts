/** Turns a stream name into a number that fits a double. */
export type StreamHash = (name: string) => number;

/** A 53-bit mix of the characters of the name (cyrb53): keys spread evenly over the index. Stored, so never to change. */
export const hashStreamName: StreamHash = (name) => {
  let one = 0xdeadbeef;
  let two = 0x41c6ce57;
  for (let at = 0; at < name.length; at++) {
    const unit = name.charCodeAt(at);
    one = Math.imul(one ^ unit, 2654435761);
    two = Math.imul(two ^ unit, 1597334677);
  }
  one = Math.imul(one ^ (one >>> 16), 2246822507) ^ Math.imul(two ^ (two >>> 13), 3266489909);
  two = Math.imul(two ^ (two >>> 16), 2246822507) ^ Math.imul(one ^ (one >>> 13), 3266489909);
  return 4294967296 * (2097151 & two) + (one >>> 0);
};

/**
 * The key of a stream: its hash, or the next number whose owner is this stream or nobody. Two names with one hash
 * are rare, but their events must never mix. `ownerOf` tells which name holds a key.
 */
export const findStreamKey = (
  name: string,
  hashOf: StreamHash,
  ownerOf: (key: number) => string | undefined,
): number => {
  for (let key = hashOf(name); ; key++) {
    const owner = ownerOf(key);
    if (owner === undefined || owner === name) return key;
  }
};

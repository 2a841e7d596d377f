import { hash } from 'node:crypto';

/** Turns a stream name into a number that fits a double. */
export type StreamHash = (name: string) => number;

/** The first 52 bits of the SHA-1 of the name: keys spread evenly over the index. */
export const hashStreamName: StreamHash = (name) => {
  const digest = hash('sha1', name, 'buffer');
  return digest.readUIntBE(0, 6) * 16 + ((digest[6] ?? 0) >> 4);
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

import { createHash, type Hash } from 'node:crypto';

/** Texts are longest by far; each value says its kind and its length, so that no two values read the same. */
const feed = (hash: Hash, value: unknown): void => {
  if (typeof value === 'string') {
    hash.update(`s${value.length}:`).update(value, 'utf8');
  } else if (Array.isArray(value)) {
    hash.update(`[${value.length}`);
    for (const member of value) feed(hash, member);
  } else if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    hash.update(`{${members.length}`);
    for (const [name, member] of members.toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      feed(hash, name);
      feed(hash, member);
    }
  } else {
    hash.update(`${typeof value}:${String(value)};`);
  }
};

/**
 * SHA-256 in hex over a value of JSON, whatever the order of its members; those that are undefined are not there. No copy
 * of its texts is made, which may be a hundred megabytes of pictures.
 */
export const contentDigest = (value: unknown): string => {
  const hash = createHash('sha256');
  feed(hash, value);
  return hash.digest('hex');
};

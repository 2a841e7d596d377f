import { createHash } from 'node:crypto';

/** A SHA-256 digest. */
type Digest = Buffer;

const [LEAF, NODE] = [Buffer.of(0), Buffer.of(1)];
const SHA256_HEX = /^[0-9a-f]{64}$/;

/** The hash of a leaf (RFC 9162, 2.1.1). Leaves and nodes begin differently, so that neither passes for the other. */
export const leafHash = (data: string | Buffer): Digest => createHash('sha256').update(LEAF).update(data).digest();

const nodeHash = (left: Digest, right: Digest): Digest =>
  createHash('sha256').update(NODE).update(left).update(right).digest();

/** The largest power of two below `count`, which is 2 at least. */
const splitOf = (count: number): number => 2 ** (31 - Math.clz32(count - 1));

const root = (leaves: readonly Digest[]): Digest => {
  const [only] = leaves;
  if (only === undefined) throw new Error('a tree has leaves');
  if (leaves.length === 1) return only;
  const split = splitOf(leaves.length);
  return nodeHash(root(leaves.slice(0, split)), root(leaves.slice(split)));
};

/** The root of the tree over these leaves, of which there is one at least, in hex. */
export const merkleRoot = (leaves: readonly Digest[]): string => root(leaves).toString('hex');

/** The hashes in hex, from the leaf up, that lead from one leaf to the root (RFC 9162, 2.1.3.1). */
export const merklePath = (leaves: readonly Digest[], index: number): readonly string[] => {
  if (leaves.length <= 1) return [];
  const split = splitOf(leaves.length);
  const [left, right] = [leaves.slice(0, split), leaves.slice(split)];
  return index < split
    ? [...merklePath(left, index), root(right).toString('hex')]
    : [...merklePath(right, index - split), root(left).toString('hex')];
};

const climb = (leaf: Digest, index: number, count: number, path: readonly Digest[]): Digest | undefined => {
  const above = path.at(-1);
  if (count === 1 || above === undefined) return count === 1 && above === undefined ? leaf : undefined;
  const split = splitOf(count);
  const isLeft = index < split;
  const below = climb(leaf, isLeft ? index : index - split, isLeft ? split : count - split, path.slice(0, -1));
  if (below === undefined) return undefined;
  return isLeft ? nodeHash(below, above) : nodeHash(above, below);
};

/**
 * The root that a path leads to from a leaf, in hex; undefined when the path cannot be one of a tree with `count` leaves
 * (RFC 9162, 2.1.3.2).
 */
export const rootFromPath = (
  leaf: Digest,
  { index, count, path }: Readonly<{ index: number; count: number; path: readonly string[] }>,
): string | undefined => {
  const isPlace = Number.isSafeInteger(index) && Number.isSafeInteger(count) && index >= 0 && index < count;
  if (!isPlace || count > 2 ** 31 || !path.every((hash) => SHA256_HEX.test(hash))) return undefined;
  return climb(
    leaf,
    index,
    count,
    path.map((hash) => Buffer.from(hash, 'hex')),
  )?.toString('hex');
};

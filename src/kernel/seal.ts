import { createHash, verify } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';
import type { Position, StoredEvent } from './event-store.ts';
import { leafHash } from './merkle.ts';
import type { IsoTime } from './message.ts';

/** A place in the log, in decimal digits. */
export type PlaceText = Readonly<{ commit: string; prepare: string }>;

/**
 * What is said of a batch of events. `number` counts batches from 1. `from` is the end of the batch before (exclusive; null:
 * the beginning of the log), `to` the place of the last event. `merkleRoot` and `prevRoot` (empty for the first batch) are
 * SHA-256 in hex, over leaves as `leafOf` makes them.
 */
export type SealStatement = Readonly<{
  number: number;
  from: PlaceText | null;
  to: PlaceText;
  count: number;
  merkleRoot: string;
  prevRoot: string;
  sealedAt: IsoTime;
}>;

/**
 * A statement and who makes it: `publicKey` is an Ed25519 key (base64url, as in RFC 8037), `keyId` its RFC 7638 thumbprint.
 * `signature` (base64url, RFC 8032) is over the canonical JSON of all other members.
 */
export type Seal = SealStatement & Readonly<{ keyId: string; publicKey: string; signature: string }>;

/** The port to whoever holds the private key. */
export type SealSigner = Readonly<{ keyId: string; seal: (statement: SealStatement) => Seal }>;

export const placeText = ({ commit, prepare }: Position): PlaceText => ({
  commit: commit.toString(),
  prepare: prepare.toString(),
});

/** Reads what `placeText` wrote. Throws SyntaxError for anything else. */
export const placeOf = ({ commit, prepare }: PlaceText): Position => ({
  commit: BigInt(commit),
  prepare: BigInt(prepare),
});

/** An event's leaf: its place and its hash, which covers its stream, its revision and every byte of it. */
export const leafOf = ({ position, metadata }: Pick<StoredEvent, 'position' | 'metadata'>): Buffer => {
  // What others have written has no hash; that is for the check of each stream to find.
  const hash = (metadata as Partial<StoredEvent['metadata']> | undefined)?.hash ?? '';
  return leafHash(`${position.commit}/${position.prepare} ${hash}`);
};

/** The text that is signed. */
export const signedText = ({ signature: _, ...said }: Omit<Seal, 'signature'> & { signature?: string }): string =>
  canonicalJson(said);

const jwkOf = (publicKey: string) => ({ crv: 'Ed25519', kty: 'OKP', x: publicKey });

/** The RFC 7638 thumbprint of an Ed25519 key. */
export const keyIdOf = (publicKey: string): string =>
  createHash('sha256')
    .update(canonicalJson(jwkOf(publicKey)))
    .digest('base64url');

/** True when a seal is signed by the key that it names. Whether that key is to be trusted is for the caller to know. */
export const isSigned = (seal: Seal): boolean => {
  try {
    const key = { key: jwkOf(seal.publicKey), format: 'jwk' } as const;
    const signature = Buffer.from(seal.signature, 'base64url');
    return seal.keyId === keyIdOf(seal.publicKey) && verify(null, Buffer.from(signedText(seal)), key, signature);
  } catch {
    // No key, or none of this kind.
    return false;
  }
};

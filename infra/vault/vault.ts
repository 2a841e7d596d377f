import { createHmac } from 'node:crypto';
import canonicalize from 'canonicalize';
import { DomainError } from '../../src/kernel/errors.ts';
import { stateCache } from '../../src/kernel/state-cache.ts';
import type { Sealed, SubjectVault } from '../../src/kernel/vault.ts';
import type { KeptKey, KeyStore } from './key-store.ts';
import { decrypt, encrypt, keyWrapping, type SubjectKey } from './key-wrapping.ts';

export type VaultOptions = Readonly<{
  /** 32 bytes in hex. */
  masterKey: string;
  /** Keys that are kept ready in memory; 20 000 when absent. */
  cachedKeys?: number;
  /** Milliseconds on a clock that only goes forward; for tests. */
  monotonic?: () => number;
}>;

/** A key that another process destroyed is used no longer than this, plus the time of one look. */
const TRUSTED_MS = 500;
/** Less than the minute for which the key store tells of destroyed keys. */
const FORGET_ALL_MS = 30_000;

const bytes = (base64: string): Buffer => Buffer.from(base64, 'base64');

const erased = (): DomainError => new DomainError('unauthorized', 'this account has been removed');

/** The vault on any key store. Keys are cached; what others destroyed is looked up twice a second while it is in use. */
export const subjectVault = (store: KeyStore, options: VaultOptions): SubjectVault => {
  const { unwrap, wrapNew } = keyWrapping(options.masterKey);
  const monotonic = options.monotonic ?? (() => performance.now());
  const capacity = options.cachedKeys ?? 20_000;
  let cache = stateCache<SubjectKey>(capacity);
  const destroyedHere = new Set<string>();
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  const lookForDestroyed = async (): Promise<void> => {
    const startedAt = monotonic();
    if (startedAt - lookedAt > FORGET_ALL_MS) cache = stateCache(capacity);
    else for (const subject of await store.recentlyDestroyed()) cache.delete(subject);
    lookedAt = startedAt;
  };

  const freshen = async (): Promise<void> => {
    if (monotonic() - lookedAt < TRUSTED_MS) return;
    looking ??= lookForDestroyed().finally(() => {
      looking = undefined;
    });
    await looking;
  };

  const ready = (subject: string, kept: KeptKey): SubjectKey | undefined => {
    // The store may have been asked before a key was destroyed here and answer after it.
    if (kept === 'destroyed' || destroyedHere.has(subject)) return undefined;
    const key = unwrap(subject, kept.wrapped);
    cache.set(subject, key);
    return key;
  };

  /** The key; undefined when it was destroyed, and an error when it is not there at all. */
  const existing = async (subject: string): Promise<SubjectKey | undefined> => {
    await freshen();
    const known = cache.get(subject);
    if (known !== undefined) return known;
    const kept = await store.find(subject);
    if (kept === undefined) throw new Error('the vault has lost the key of a sealed value');
    return ready(subject, kept);
  };

  const usable = async (subject: string): Promise<SubjectKey> => {
    await freshen();
    const known = cache.get(subject);
    if (known !== undefined) return known;
    const kept = (await store.find(subject)) ?? (await store.create(subject, wrapNew(subject)));
    const key = ready(subject, kept);
    if (key === undefined) throw erased();
    return key;
  };

  const textOf = (value: unknown): string => {
    const text = canonicalize(value);
    if (text === undefined) throw new Error('only JSON values can be sealed');
    return text;
  };

  return {
    seal: async (subject, context, value): Promise<Sealed> => {
      const { cipher } = await usable(subject);
      const { iv, ct, tag } = encrypt(cipher, `${subject}|${context}`, Buffer.from(textOf(value), 'utf8'));
      const text = (part: Buffer): string => part.toString('base64');
      return { k: subject, iv: text(iv), ct: text(ct), tag: text(tag) };
    },
    open: async (context, { k, iv, ct, tag }) => {
      const key = await existing(k);
      if (key === undefined) return null;
      const plain = decrypt(key.cipher, `${k}|${context}`, { iv: bytes(iv), ct: bytes(ct), tag: bytes(tag) });
      return JSON.parse(plain.toString('utf8')) as unknown;
    },
    digest: async (subject, value) => {
      const { digest } = await usable(subject);
      return createHmac('sha256', digest).update(textOf(value), 'utf8').digest('hex');
    },
    destroy: async (subject) => {
      await store.destroy(subject);
      destroyedHere.add(subject);
      cache.delete(subject);
    },
    close: () => store.close(),
  };
};

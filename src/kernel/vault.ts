import { isDomainError } from './errors.ts';

/** Personal data inside an event: AES-256-GCM under the subject's key `k`; the other members are base64. */
export type Sealed = Readonly<{ k: string; iv: string; ct: string; tag: string }>;

/**
 * The port to the keys of subjects, which are held outside the log. Destroying a key makes everything that was sealed
 * under it unreadable for ever, while every hash over the ciphertext still holds.
 */
export type SubjectVault = Readonly<{
  /**
   * Encrypts a JSON value under the subject's key, made on first use. `context` (the stream) must be equal on opening.
   * Refused, see `isErased`, once the key has been destroyed.
   */
  seal: (subject: string, context: string, value: unknown) => Promise<Sealed>;
  /** The value, or null when its key has been destroyed. Throws when the ciphertext was altered. */
  open: (context: string, sealed: Sealed) => Promise<unknown>;
  /** A keyed hash in hex that lets equal plaintexts be told equal without reading them; gone with the key. */
  digest: (subject: string, value: unknown) => Promise<string>;
  /** Destroys the subject's key. Idempotent. */
  destroy: (subject: string) => Promise<void>;
  close: () => Promise<void>;
}>;

/** True when sealing was refused because the subject's key has been destroyed. */
export const isErased = (error: unknown): boolean => isDomainError(error) && error.errorType === 'unauthorized';

/** True for a value that `seal` made. */
export const isSealed = (value: unknown): value is Sealed =>
  typeof value === 'object' && value !== null && 'k' in value && 'iv' in value && 'ct' in value && 'tag' in value;

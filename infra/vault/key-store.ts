/** A subject's key as it is kept: wrapped with the master key, or nothing but the note that it was destroyed. */
export type KeptKey = Readonly<{ wrapped: Buffer }> | 'destroyed';

/** Where wrapped keys are kept, durable and shared by all processes. */
export type KeyStore = Readonly<{
  find: (subject: string) => Promise<KeptKey | undefined>;
  /** Keeps the key unless the subject has had one; answers with the one that is kept. */
  create: (subject: string, wrapped: Buffer) => Promise<KeptKey>;
  /** Forgets the key for ever; durable when it returns. Idempotent; a subject that never had a key gets none later. */
  destroy: (subject: string) => Promise<void>;
  /** Subjects whose keys were destroyed within the last minute, by any process. */
  recentlyDestroyed: () => Promise<readonly string[]>;
  close: () => Promise<void>;
}>;

/**
 * The port to shared state that may vanish at any moment: Redis, or this process when the application is alone. Never
 * the truth of anything; keys carry their own prefix.
 */
export type EphemeralStore = Readonly<{
  /** Stores a JSON value for `ttlSeconds`. */
  put: (key: string, value: unknown, ttlSeconds: number) => Promise<void>;
  /** The value, or undefined when it is gone. */
  get: (key: string) => Promise<unknown>;
  /** The value, which no other caller gets after this; undefined when it is gone. */
  take: (key: string) => Promise<unknown>;
  /** Stores only when the key is free; false when it was not. */
  claim: (key: string, value: unknown, ttlSeconds: number) => Promise<boolean>;
  ping: () => Promise<void>;
  close: () => Promise<void>;
}>;

/** A fact, in the past tense, in its latest shape. `data` holds JSON values only. */
export type Event<T extends string = string, D = unknown> = Readonly<{ type: T; data: D }>;

/**
 * A wish, in the imperative. `key` is the business key that makes a repeated command the same command
 * (`reserve:<requestId>`): the ids of its events are derived from it.
 */
export type Command<T extends string = string, D = unknown> = Readonly<{ type: T; key: string; data: D }>;

/** ISO 8601 instant in UTC with milliseconds, as `Date.prototype.toISOString` writes it. */
export type IsoTime = string;

/** Who caused an event. `id` is a user id, the id of an API key, a job's name or `system`. */
export type Actor = Readonly<{
  kind: 'user' | 'admin' | 'apiKey' | 'system' | 'job';
  id: string;
}>;

/** Where a command comes from: written into the metadata of every event that follows from it. */
export type Cause = Readonly<{
  at: IsoTime;
  correlationId: string;
  causationId: string;
  actor: Actor;
  requestId?: string;
  sessionId?: string;
  deviceId?: string;
  /** Keyed hash of the caller's address; the address itself is never stored. */
  ipHash?: string;
}>;

/** The metadata of a stored event. `prevHash` and `hash` chain the events of one stream (see chain.ts). */
export type EventMetadata = Readonly<{
  $correlationId: string;
  $causationId: string;
  schemaVersion: number;
  occurredAt: IsoTime;
  idempotencyKey: string;
  actor: Actor;
  requestId?: string;
  sessionId?: string;
  deviceId?: string;
  ipHash?: string;
  prevHash: string;
  hash: string;
}>;

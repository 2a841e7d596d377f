import type { EventMetadata } from './message.ts';

/** A place in the log of all events. Positions only grow. */
export type Position = Readonly<{ commit: bigint; prepare: bigint }>;

/** An event about to be appended. */
export type NewEvent = Readonly<{ id: string; type: string; data: unknown; metadata: unknown }>;

/** An event as the store holds it, in the shape of the day it was written (see upcasting.ts). */
export type StoredEvent = Readonly<{
  id: string;
  stream: string;
  revision: bigint;
  type: string;
  data: unknown;
  metadata: EventMetadata;
  /** The store's own clock, when the append was accepted. */
  created: Date;
  position: Position;
}>;

export type Appended = Readonly<{ revision: bigint; position: Position }>;

/** -1n stands for "no stream". */
export const NO_STREAM = -1n;

export type ReadOptions = Readonly<{ from?: bigint; maxCount?: number; backwards?: boolean }>;

/** Which events of the log a reader wants: streams whose name starts with one of these; none = all but system events. */
export type Filter = Readonly<{ streamPrefixes: readonly string[] }>;

/** What a subscription tells: an event, or the news that everything up to here has been looked at. */
export type FeedItem =
  | Readonly<{ kind: 'event'; event: StoredEvent }>
  | Readonly<{ kind: 'checkpoint'; position: Position }>
  | Readonly<{ kind: 'caught-up' }>;

/** True when a position is after a place; undefined stands before all. */
export const isAfter = (position: Position, place: Position | undefined): boolean =>
  place === undefined || comparePositions(position, place) > 0;

/** The later of two positions; undefined stands before all. */
export const later = (a: Position | undefined, b: Position | undefined): Position | undefined =>
  b !== undefined && isAfter(b, a) ? b : a;

/** How far items reach; undefined when they are only the news of having caught up. */
export const reachedBy = (items: readonly FeedItem[]): Position | undefined => {
  for (let at = items.length - 1; at >= 0; at -= 1) {
    const item = items[at];
    if (item?.kind === 'event') return item.event.position;
    if (item?.kind === 'checkpoint') return item.position;
  }
  return undefined;
};

/** What has arrived since the last time, in order and never nothing: handing on one by one is work for each reader. */
export type Subscription = AsyncIterable<readonly FeedItem[]>;

/** The port to the event store. Every failure that is not named here is a StoreUnavailableError. */
export type EventStore = Readonly<{
  /** The events of a stream in the asked order; an empty list when it has none. */
  read: (stream: string, options?: ReadOptions) => Promise<readonly StoredEvent[]>;
  /**
   * Appends all or nothing, durable when it returns. `expected` is the revision the stream must be at (NO_STREAM: it
   * must not exist). Repeating the same append (same ids, same expectation) succeeds and adds nothing.
   * Throws RevisionConflictError.
   */
  append: (stream: string, expected: bigint | 'any', events: readonly NewEvent[]) => Promise<Appended>;
  /** Events of the whole log after `from` (undefined: from the start), at most `maxCount`. */
  readAll: (
    options: Readonly<{ from?: Position; maxCount: number; filter?: Filter }>,
  ) => Promise<readonly StoredEvent[]>;
  /** The position of the last event in the log; undefined when it is empty. */
  head: () => Promise<Position | undefined>;
  /** Everything after `from`, in order, for ever, until `signal` aborts. Ends with an error when the store goes away. */
  subscribe: (options: Readonly<{ from?: Position; filter?: Filter; signal: AbortSignal }>) => Subscription;
  /** Keeps only the newest `maxCount` events of a stream that is disposable (snapshots). */
  keepLast: (stream: string, maxCount: number) => Promise<void>;
  /** Resolves when the store answers; rejects when it does not. */
  ping: () => Promise<void>;
  close: () => Promise<void>;
}>;

/** Somebody else appended first. */
export class RevisionConflictError extends Error {
  readonly tag = 'RevisionConflictError';
  constructor(stream: string, expected: bigint | 'any', cause?: unknown) {
    super(`stream ${stream} is not at revision ${expected.toString()}`, { cause });
    this.name = 'RevisionConflictError';
  }
}

/** The store did not answer, or not in time: whether the append happened is unknown. */
export class StoreUnavailableError extends Error {
  readonly tag = 'StoreUnavailableError';
  constructor(what: string, cause?: unknown) {
    super(`event store: ${what}`, { cause });
    this.name = 'StoreUnavailableError';
  }
}

const hasTag = (error: unknown, tag: string): boolean => error instanceof Error && 'tag' in error && error.tag === tag;

export const isRevisionConflict = (error: unknown): error is RevisionConflictError =>
  hasTag(error, 'RevisionConflictError');

export const isStoreUnavailable = (error: unknown): error is StoreUnavailableError =>
  hasTag(error, 'StoreUnavailableError');

/** Which of two positions is later: negative, zero or positive as a comparator. */
export const comparePositions = (a: Position, b: Position): number => {
  if (a.commit !== b.commit) return a.commit < b.commit ? -1 : 1;
  if (a.prepare === b.prepare) return 0;
  return a.prepare < b.prepare ? -1 : 1;
};

/** A position as clients and operators see it: the commit position in decimal digits. */
export const positionText = (position: Position): string => position.commit.toString();

import type { Position } from './event-store.ts';
import type { Event, EventMetadata } from './message.ts';
import type { Row, Table } from './table.ts';
import type { Upcasters } from './upcasting.ts';

/**
 * What an event does to a read model. Operations on one key are folded in order before anything is written: the last
 * `set` of a column wins, `add`s sum up, `remove` forgets what came before it.
 */
export type RowOp =
  /** Insert the row, or set these columns of it. Columns not named keep their value (or their default when new). */
  | Readonly<{ op: 'set'; table: Table; key: Row; set: Row }>
  /** Add to bigint columns of the row (whose default, if any, is 0), and set the columns of `set`, as `set` does. */
  | Readonly<{ op: 'add'; table: Table; key: Row; add: Readonly<Record<string, bigint>>; set?: Row }>
  /** Insert-only tables: one row an event, never changed. A row whose key exists is left alone. */
  | Readonly<{ op: 'insert'; table: Table; row: Row }>
  | Readonly<{ op: 'remove'; table: Table; key: Row }>
  | ForgetOp;

/**
 * To every row that has these values, whatever its key: sets these columns, or, without `set`, removes it. For what is to
 * be forgotten of a user; a statement of its own, so for rare events only.
 */
export type ForgetOp = Readonly<{ op: 'forget'; table: Table; of: Row; set?: Row }>;

/** An event as a projection sees it: latest shape, personal fields opened. */
export type Projected<E extends Event = Event> = Readonly<{
  id: string;
  stream: string;
  revision: bigint;
  type: E['type'];
  data: E['data'];
  metadata: EventMetadata;
  created: Date;
  position: Position;
  /** The plaintext of each sealed member of `data`, by its name; null when its key has been destroyed. */
  opened: Readonly<Record<string, unknown>>;
}>;

type Handlers<E extends Event> = {
  readonly [T in E['type']]?: (event: Projected<Extract<E, { type: T }>>) => readonly RowOp[];
};

/** A read model: a pure function from event to row operations, with its tables. */
export type Projection = Readonly<{
  /** The key of its checkpoint: never renamed. */
  name: string;
  /** Raised when what is written changes: the read model is rebuilt at the next start. */
  version: number;
  tables: readonly Table[];
  /** Names of the streams it reads start with one of these; empty: all streams but the store's own. */
  streamPrefixes: readonly string[];
  /**
   * How stored events become what the handlers are written for. `as-stored` is for read models about events as such:
   * any type, no upcasting, and sealed members stay sealed.
   */
  upcasters: Upcasters | 'as-stored';
  /** The event types that it handles; all others are passed by unread. Absent: every type is handled. */
  types?: ReadonlySet<string>;
  /** What the event does; an empty list for an event it does not care about. Throws only on a fault. */
  apply: (event: Projected) => readonly RowOp[];
}>;

/** Declares a projection by one handler an event type; what it handles is what is listed. */
export const defineProjection = <E extends Event>(
  spec: Omit<Projection, 'apply' | 'types'> & Readonly<{ on: Handlers<E> }>,
): Projection => {
  const { on, ...rest } = spec;
  const handlers = on as Readonly<Record<string, ((event: Projected) => readonly RowOp[]) | undefined>>;
  return {
    ...rest,
    types: new Set(Object.keys(on)),
    apply: (event) => handlers[event.type]?.(event) ?? [],
  };
};

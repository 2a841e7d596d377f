import type { Decider } from './decider.ts';
import type { Command, Event } from './message.ts';
import type { Upcasters } from './upcasting.ts';

/** How the state of long streams is kept beside them. Disposable: a version that does not fit is read anew. */
export type SnapshotCodec<State> = Readonly<{
  /** Raised whenever the state's shape or meaning changes. */
  version: number;
  /** Events between two snapshots. */
  every: number;
  toJson: (state: State) => unknown;
  fromJson: (json: unknown) => State;
}>;

/** A kind of stream that commands are decided on. `category` has no dash: the stream is `<category>-<id>`. */
export type Aggregate<State, C extends Command, E extends Event> = Readonly<{
  category: string;
  decider: Decider<State, C, E>;
  upcasters: Upcasters<E>;
  snapshot?: SnapshotCodec<State>;
}>;

/** The name of an aggregate's stream. */
export const streamOf = (aggregate: Readonly<{ category: string }>, id: string): string =>
  `${aggregate.category}-${id}`;

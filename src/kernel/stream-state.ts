import { streamOf, type Aggregate } from './aggregate.ts';
import { CHAIN_START } from './chain.ts';
import { fold } from './decider.ts';
import { eventIdOf } from './ids.ts';
import { NO_STREAM, type EventStore, type StoredEvent } from './event-store.ts';
import type { Command, Event } from './message.ts';
import { upcast } from './upcasting.ts';

/** An aggregate's state at a revision, with the hash that the next event is chained to. */
export type StreamState<State> = Readonly<{ state: State; revision: bigint; hash: string }>;

type Snapshot = Readonly<{ version: number; revision: string; hash: string; state: unknown }>;

/**
 * Reads states from the store; a snapshot saves reading a long stream from its start. Its event type starts
 * with `$`, so that readers of the whole log, who leave out the store's own events, do not see it.
 */
export const streamStates = <State, C extends Command, E extends Event>(
  aggregate: Aggregate<State, C, E>,
  store: Pick<EventStore, 'read' | 'append' | 'keepLast'>,
) => {
  const { decider, upcasters, snapshot } = aggregate;
  const snapshots = { category: `${aggregate.category}Snapshot` };

  const advance = (from: StreamState<State>, stored: readonly StoredEvent[]): StreamState<State> => {
    const last = stored.at(-1);
    if (last === undefined) return from;
    const events = stored.map((event) => upcast(upcasters, event) as E);
    return { state: fold(decider, from.state, events), revision: last.revision, hash: last.metadata.hash };
  };

  const fromSnapshot = async (id: string): Promise<StreamState<State> | undefined> => {
    if (snapshot === undefined) return undefined;
    const [newest] = await store.read(streamOf(snapshots, id), { backwards: true, maxCount: 1 });
    const saved = newest?.data as Snapshot | undefined;
    if (saved?.version !== snapshot.version) return undefined;
    return { state: snapshot.fromJson(saved.state), revision: BigInt(saved.revision), hash: saved.hash };
  };

  /** `known`, brought up to the stream's end. */
  const refresh = async (id: string, known: StreamState<State>): Promise<StreamState<State>> =>
    advance(known, await store.read(streamOf(aggregate, id), { from: known.revision + 1n }));

  /** The state at the stream's end. */
  const load = async (id: string): Promise<StreamState<State>> =>
    refresh(id, (await fromSnapshot(id)) ?? { state: decider.initial, revision: NO_STREAM, hash: CHAIN_START });

  /** Saves a snapshot when a step has crossed a multiple of the snapshot interval. */
  const save = async (id: string, before: bigint, now: StreamState<State>): Promise<void> => {
    if (snapshot === undefined) return;
    const every = BigInt(snapshot.every);
    if ((before + 1n) / every === (now.revision + 1n) / every) return;
    const stream = streamOf(snapshots, id);
    const data: Snapshot = {
      version: snapshot.version,
      revision: now.revision.toString(),
      hash: now.hash,
      state: snapshot.toJson(now.state),
    };
    await store.append(stream, 'any', [
      { id: eventIdOf(stream, data.revision, 0), type: '$snapshot', data, metadata: {} },
    ]);
    await store.keepLast(stream, 1);
  };

  return { load, refresh, save };
};

import {
  isAfter,
  isStoreUnavailable,
  type EventStore,
  type Position,
  type StoredEvent,
} from '../../src/kernel/event-store.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import type { Statement } from '../../src/kernel/query.ts';
import { batches, type Batch, type BatchLimits } from './batches.ts';
import { flight } from './flight.ts';
import { isPassing, isMissing } from './faults.ts';
import type { DatabasePools } from './pools.ts';
import { applyEvents, HandlerFailure, type Opener } from './project-events.ts';
import { advance, type Place } from './projection-place.ts';
import type { StateStatus } from './projection-state.ts';
import { statementsOf } from './op-statements.ts';

/** Somebody else has moved the projection, or a rebuild was asked for: what we know of it is old. */
export class FencedError extends Error {
  constructor(name: string) {
    super(`${name} is not where its owner thought`);
    this.name = 'FencedError';
  }
}

/** What was written is not written again, whoever tells of it twice: sums would be wrong for good. */
const newOnes = (events: readonly StoredEvent[], place: Place): readonly StoredEvent[] => {
  let reached = place.position;
  return events.filter(({ position }) => {
    const isNew = isAfter(position, reached);
    if (isNew) reached = position;
    return isNew;
  });
};

export type SessionDeps = Readonly<{
  store: EventStore;
  pools: Pick<DatabasePools, 'projector'>;
  vault: Opener;
  clock: Clock;
  owner: string;
  limits: BatchLimits;
  /** Told of each place reached, and of the events written to reach it. */
  onPlace: (place: Place, status: StateStatus, written: number) => void;
  /** Given the ways to reach the session once it reads. */
  onReading: (handle: SessionHandle) => void;
}>;

export type SessionHandle = Readonly<{
  /** The log holds nothing for the projection between a place and a position. */
  passed: (place: Place, position: Position) => void;
  /** Somebody has begun to wait for the projection. */
  hurry: () => void;
}>;

/** Checkpoints alone are written this seldom, in milliseconds. */
const IDLE_WRITES = 1000;

/** The tables that are fed, and from where on. */
export type Fed = Readonly<{
  schema: string;
  start: Place;
  /** Called after each batch that leaves nothing to read; true ends the feeding. */
  whenLive?: (place: Place) => Promise<boolean>;
  /** Waits after a batch of so many events. */
  pace?: (events: number) => Promise<void>;
}>;

/**
 * Reads a projection's part of the log from a place on, and writes rows and place together. Returns when `signal` aborts or
 * `whenLive` says so; throws what stopped it.
 */
export const feedTables = async (
  projection: Projection,
  fed: Fed,
  deps: SessionDeps,
  signal: AbortSignal,
): Promise<void> => {
  const { store, pools, vault, clock, owner, limits } = deps;
  const { schema, start, whenLive, pace } = fed;
  let status: StateStatus = 'catching_up';
  let lastWrite = 0;

  const write = async (
    from: Place,
    position: Position | undefined,
    events: number,
    asOf: Date,
    rows: readonly Statement[],
  ) => {
    const client = await pools.projector.connect();
    try {
      const [, moved] = await flight(
        client.query('begin'),
        advance(client, from, { position, events, asOf, status, owner }),
      );
      if (!moved) throw new FencedError(projection.name);
      await flight(...rows.map((row) => client.query({ ...row, values: [...row.values] })), client.query('commit'));
      client.release();
    } catch (error) {
      // Ending the connection ends the transaction, whatever state it is in.
      client.release(true);
      throw error;
    }
    lastWrite = performance.now();
    const place = { ...from, position };
    deps.onPlace(place, status, events);
    return place;
  };

  const asOfNow = (events: readonly StoredEvent[]): Date =>
    status === 'live' ? clock() : (events.at(-1)?.created ?? clock());

  /** Writes events in one transaction, those before a failing one included. */
  const writeEvents = async (
    from: Place,
    events: readonly StoredEvent[],
    through: Position | undefined,
  ): Promise<Place> => {
    const { ops, applied, failure } = await applyEvents(projection, vault, events);
    const last = events[applied - 1];
    const whole = failure === undefined;
    let place = from;
    if (whole || last !== undefined) {
      const position = whole ? through : (last?.position ?? through);
      place = await write(from, position, applied, asOfNow(events.slice(0, applied)), statementsOf(ops, schema));
    }
    if (failure !== undefined) throw failure;
    return place;
  };

  /** Writes event by event, to find the one that the database refuses. */
  const writeSingly = async (
    from: Place,
    events: readonly StoredEvent[],
    through: Position | undefined,
  ): Promise<Place> => {
    let place = from;
    for (const [index, event] of events.entries()) {
      try {
        place = await writeEvents(place, [event], index === events.length - 1 ? through : event.position);
      } catch (error) {
        if (isOfTheMoment(error) || error instanceof HandlerFailure) throw error;
        throw new HandlerFailure(event, error);
      }
    }
    return place;
  };

  const writeBatch = async (from: Place, { events, through }: Batch): Promise<Place> => {
    try {
      return await writeEvents(from, events, through);
    } catch (error) {
      if (isOfTheMoment(error) || error instanceof HandlerFailure) throw error;
      return writeSingly(from, events, through);
    }
  };

  const next = async (place: Place, arrived: Batch): Promise<Place> => {
    const batch = { ...arrived, events: newOnes(arrived.events, place) };
    const becomesLive = batch.caughtUp && status !== 'live';
    if (batch.caughtUp) status = 'live';
    const through =
      batch.through !== undefined && isAfter(batch.through, place.position) ? batch.through : place.position;
    const idle = batch.events.length === 0 && !becomesLive;
    if (idle && (through === place.position || performance.now() - lastWrite < IDLE_WRITES)) return place;
    return writeBatch(place, { ...batch, through });
  };

  const isLive = (): boolean => status === 'live';
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const filter = { streamPrefixes: projection.streamPrefixes };
  const from = start.position;
  const feed = batches(
    store.subscribe({ ...(from === undefined ? {} : { from }), filter, signal: until }),
    limits,
    until,
  );
  let place = start;
  deps.onReading({
    // What was found out about another place says nothing about this one.
    passed: (seen, position) => {
      if (samePlace(seen, place)) feed.passed(position);
    },
    hurry: feed.hurry,
  });
  try {
    for await (const batch of feed) {
      if (signal.aborted) return;
      place = await next(place, batch);
      if (isLive() && (await whenLive?.(place)) === true) return;
      await pace?.(batch.events.length);
    }
  } finally {
    over.abort();
  }
};

const samePlace = (a: Place, b: Place): boolean =>
  a.generation === b.generation &&
  a.position?.commit === b.position?.commit &&
  a.position?.prepare === b.position?.prepare;

/** True for what passes by itself or with a new session; all else is the fault of an event or of the build. */
const isOfTheMoment = (error: unknown): boolean =>
  error instanceof FencedError || isPassing(error) || isMissing(error) || isStoreUnavailable(error);

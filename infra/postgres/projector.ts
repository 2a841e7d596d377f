import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../src/kernel/clock.ts';
import { isAfter, type EventStore, type Position } from '../../src/kernel/event-store.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { qualified } from '../../src/kernel/query.ts';
import type { BatchLimits } from './batches.ts';
import { causeOf, isMissing } from './faults.ts';
import { lookAhead, type Standing } from './look-ahead.ts';
import { migrate } from './migrate.ts';
import type { DatabasePools } from './pools.ts';
import { requestRebuild } from './build-requests.ts';
import { isOfSlot } from './builds.ts';
import type { SessionDeps, SessionHandle } from './feeding.ts';
import { forgetBeside } from './forget-tables.ts';
import { positions } from './positions.ts';
import type { Opener } from './project-events.ts';
import { placeFrom } from './projection-place.ts';
import { readStates, type ProjectionState } from './projection-state.ts';
import { projectionWorks } from './projection-works.ts';
import { projectionStatus, rowsOf, type ProjectionStatus } from './projection-status.ts';
import { standstill } from './standstill.ts';
import { supervisor } from './supervisor.ts';
import { outdatedOf } from './table-shapes.ts';
import { upgrades } from './upgrades.ts';

export type ProjectorOptions = Readonly<{
  projections: readonly Projection[];
  store: EventStore;
  pools: DatabasePools;
  vault: Opener;
  logger: Logger;
  clock: Clock;
  /** Names this process among others; shown to operators. */
  instance: string;
  /** False: owns nothing, and only knows how far the others have come. */
  own?: boolean;
  limits?: BatchLimits;
  /** Milliseconds that a projection with work may stand still before it is begun anew; 30,000 when absent. */
  standstillMs?: number;
  /** Told when a read model has changed, by whichever instance. */
  onAdvance?: (name: string) => void;
}>;

type WaitOptions = Readonly<{
  /** The projections to wait for; absent: all. */
  names?: readonly string[];
  /** The stream that was written to: projections that do not read it are not waited for. */
  stream?: string;
  timeoutMs: number;
}>;

export type Projector = Readonly<{
  /** Begins to work in the background and returns; an absent database or store is waited for. */
  start: () => void;
  /** Ends after the batches that are being written. The pools stay open. */
  stop: () => Promise<void>;
  /** How each projection is doing, as this process knows it: at most about a second old. */
  status: () => readonly ProjectionStatus[];
  /** True when the projections show everything up to `position`; false when that takes too long or one has stopped. */
  waitFor: (position: Position, options: WaitOptions) => Promise<boolean>;
  /** Asks the owner, wherever it is, to build a projection anew. False when there is no such projection. */
  rebuild: (name: string) => Promise<boolean>;
  /** True when every read model is there in the form of this release, however old what it shows. */
  isReadable: () => boolean;
  /**
   * Forgets what stands beside the tables in use, so that nothing of a user is left there. Answers false while something is
   * being built, by whichever instance, that has to be waited for.
   */
  forgetBeside: () => Promise<boolean>;
}>;

/** Milliseconds between looks at the state of all projections, and between looks for somebody who waits. */
const TICK = 1000;
const QUICK = 25;

/** Longer than any batch takes, in milliseconds. */
const STANDSTILL = 30_000;
const LIMITS: BatchLimits = { max: 2000, linger: 25 };

/** Keeps read models up to date with the log: one owner a projection over all instances, rows and place in one transaction. */
export const projector = (options: ProjectorOptions): Projector => {
  const { projections, store, pools, logger, clock, instance, own = true } = options;
  const stopping = new AbortController();
  const sessions = new Map<string, SessionHandle>();
  let states = new Map<string, ProjectionState>();
  /** Those whose tables have the form of an older release: nobody reads them here. */
  let outdated: ReadonlySet<string> = new Set();
  let head: Position | undefined;
  let running: Promise<unknown> = Promise.resolve();
  let looking: Promise<void> | undefined;
  const upgrade = upgrades({ projections, pools, logger, instance });
  const still = standstill(options.standstillMs ?? STANDSTILL);

  const known = positions(({ names, certain }) => {
    for (const name of names) sessions.get(name)?.hurry();
    if (!certain) void lookForWaiting();
  });

  const refresh = async (): Promise<void> => {
    const rows = await readStates(pools.projector);
    const found = new Map(rows.map((state) => [state.name, state]));
    outdated = await outdatedOf(pools.projector, projections, found);
    states = found;
    for (const state of rows) {
      known.note(state);
      known.failed(state.name, state.status === 'failed');
    }
  };

  /** Passes what there is nothing for, and answers the names of that. */
  const look = async (wanted: (name: string) => boolean): Promise<ReadonlySet<string>> => {
    const standing = projections
      .filter(({ name }) => wanted(name))
      .map((projection): Standing => ({ projection, place: known.of(projection.name) }));
    if (standing.length === 0) return new Set();
    const found = await lookAhead(store, standing);
    for (const { place, passed } of found) {
      known.pass(place, passed);
      sessions.get(place.name)?.passed(place, passed);
    }
    return new Set(found.map(({ place }) => place.name));
  };

  /** While somebody waits, finds out soon that there is nothing more to wait for. */
  const lookForWaiting = (): Promise<void> => {
    looking ??= (async () => {
      for (;;) {
        await delay(QUICK, undefined, { ref: false });
        const awaited = known.awaited();
        if (awaited.size === 0 || stopping.signal.aborted) break;
        const live = (name: string): boolean => awaited.has(name) && states.get(name)?.status === 'live';
        await look(live).catch(() => delay(TICK, undefined, { ref: false }));
      }
    })().finally(() => (looking = undefined));
    return looking;
  };

  /** What a session is given, and says; `key` names the row that it moves. */
  const sessionDeps = (key: string, onReading: SessionDeps['onReading']): SessionDeps => ({
    store,
    pools,
    vault: options.vault,
    clock,
    owner: instance,
    limits: { hurried: () => known.isAwaited(key), ...(options.limits ?? LIMITS) },
    onPlace: (place, status, written) => {
      known.note(place);
      if (states.get(place.name)?.status !== status) void refresh().catch(() => undefined);
      if (written === 0) return;
      supervised.moved(place.name);
      options.onAdvance?.(place.name);
    },
    onReading,
  });

  const supervised = supervisor({
    works: own
      ? projectionWorks(projections, {
          logger,
          sessionDeps,
          sessions,
          stateOf: (name) => states.get(name),
          refresh: () => refresh().catch(() => undefined),
        })
      : [],
    pools,
    logger,
    clock,
    owner: instance,
    heard: {
      progress: (payload) => {
        const place = placeFrom(payload);
        known.note(place);
        options.onAdvance?.(place.name);
      },
      // Whoever is asked something reads its row anew.
      control: (name) =>
        void refresh().then(
          () => supervised.nudge(name),
          () => supervised.nudge(name),
        ),
    },
    onFailed: async (name) => {
      known.failed(name, true);
      await refresh();
    },
  });

  /** Tables that somebody has dropped are missed by readers before the next event comes. */
  const missTables = async (): Promise<void> => {
    const mine = projections.filter(({ name }) => sessions.has(name));
    const names = mine.flatMap(({ tables }) => tables.map(qualified));
    const { rows } = await pools.projector.query<{ name: string }>(
      'select name from unnest($1::text[]) as name where to_regclass(name) is null',
      [names],
    );
    const missing = new Set(rows.map(({ name }) => name));
    for (const { name, tables } of mine)
      if (tables.some((table) => missing.has(qualified(table)))) supervised.nudge(name);
  };

  /** Whatever it is that holds a session up, a new one is free of it. */
  const wakeSleepers = (idle: ReadonlySet<string>): void => {
    for (const name of sessions.keys()) {
      // A build that has come to the end of the log may have to wait for readers.
      if (isOfSlot(name, 'next') && states.get(name)?.status === 'live') continue;
      const place = known.of(name);
      const hasWork = head !== undefined && !idle.has(name) && isAfter(head, place.position);
      if (!still.isAt(place, hasWork, performance.now())) continue;
      logger.warn({ projection: name }, 'a projection stands still and is begun anew');
      supervised.nudge(name);
    }
  };

  const tick = async (): Promise<void> => {
    try {
      await refresh();
      await missTables();
      head = await store.head();
      wakeSleepers(await look((name) => sessions.has(name) && states.get(name)?.status === 'live'));
      if (own) await upgrade({ states, outdated, head });
    } catch (error) {
      still.forget();
      if (!isMissing(error)) {
        logger.debug({ cause: causeOf(error) }, 'the projections could not be looked at');
        return;
      }
      logger.warn({ cause: causeOf(error) }, 'the state of the projections is missing and will be made again');
      await migrate(pools, logger);
      for (const name of sessions.keys()) supervised.nudge(name);
    }
  };

  const watch = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await tick().catch((error: unknown) => logger.warn({ cause: causeOf(error) }, 'no look at the projections'));
      await delay(TICK, undefined, { signal }).catch(() => undefined);
    }
  };

  const waitFor = (position: Position, { names, stream, timeoutMs }: WaitOptions): Promise<boolean> => {
    const all = projections.filter(
      ({ name, streamPrefixes }) =>
        (names?.includes(name) ?? true) &&
        (stream === undefined ||
          streamPrefixes.length === 0 ||
          streamPrefixes.some((prefix) => stream.startsWith(prefix))),
    );
    const wish = { names: all.map(({ name }) => name), position, certain: stream !== undefined };
    return known.waitFor(wish, timeoutMs);
  };

  return {
    start: () => {
      running = Promise.all([supervised.run(stopping.signal), watch(stopping.signal)]);
    },
    stop: async () => {
      stopping.abort();
      await running;
      await looking;
    },
    status: () =>
      projections.map((projection) => {
        const { name } = projection;
        const rows = rowsOf(states, name);
        const position = known.of(name).position ?? rows.serving?.position;
        const serving = rows.serving === undefined ? undefined : { ...rows.serving, position };
        const around = { head, now: clock(), isOutdated: outdated.has(name) };
        return projectionStatus(projection, { ...rows, serving }, around);
      }),
    waitFor,
    rebuild: async (name) => {
      if (!projections.some((projection) => projection.name === name)) return false;
      return (await requestRebuild(pools.projector, name)) !== undefined;
    },
    isReadable: () => projections.every(({ name }) => states.has(name) && !outdated.has(name)),
    forgetBeside: () => forgetBeside(pools.projector),
  };
};

import { isAfter, positionText, type Position } from '../../src/kernel/event-store.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { stateName } from './builds.ts';
import type { ProjectionState, StateStatus } from './projection-state.ts';

/**
 * How a projection is doing. `waiting`: its database, its store or its owner is away, and it goes on by itself.
 * `failed`: an event cannot be applied; tried again with growing pauses. `outdated`: the tables have the form of an older
 * release, which may still serve them; this one builds its own beside. `unknown`: never run on this database.
 */
export type ProjectionStatus = Readonly<{
  name: string;
  state: 'unknown' | 'catching_up' | 'live' | 'waiting' | 'failed' | 'outdated';
  /** Of the tables, which may be another than this build's. */
  version: number;
  /** The commit position reached, in decimal digits; null at the beginning. */
  position: string | null;
  /** The end of the log, where known. */
  head: string | null;
  /** Seconds between now and the log as the read model shows it; 0 at the end of the log; null when unknown. */
  lagSeconds: number | null;
  /** Events read since the tables were made. */
  events: number;
  /** Which build of the tables this is; grows with each. */
  generation: string;
  /** While catching up on a log of known length. */
  progress: Progress | null;
  owner: string | null;
  failure: ParkedEvent | null;
  /** True when somebody has asked for a rebuild that nobody has begun yet. */
  rebuildAsked: boolean;
  /** What is being built beside, to take the place of these tables; null when nothing is. */
  building: Building | null;
  /** What these tables have taken the place of, and until where it has come; null when there is no way back. */
  replaced: Readonly<{ version: number; position: string | null }> | null;
}>;

/** Events a second, seconds to go and the part done from 0 to 1. */
export type Progress = Readonly<{ rate: number; etaSeconds: number | null; part: number }>;

/** The event that a projection has stopped at. */
type ParkedEvent = Readonly<{
  cause: string;
  position: string | null;
  eventId: string | null;
  eventType: string | null;
  attempts: number;
  since: string;
}>;

/** `waiting`: for whoever is to build it, or for its database or store. */
export type Building = Readonly<{
  state: 'catching_up' | 'live' | 'waiting' | 'failed' | 'paused';
  version: number;
  position: string | null;
  events: number;
  progress: Progress | null;
  owner: string | null;
  failure: ParkedEvent | null;
}>;

const lagOf = ({ position, asOf }: ProjectionState, head: Position | undefined, now: Date): number | null => {
  if (head === undefined || !isAfter(head, position)) return 0;
  return asOf === undefined ? null : Math.max(0, (now.getTime() - Date.parse(asOf)) / 1000);
};

const progressOf = (state: ProjectionState, head: Position | undefined): Progress | null => {
  const end = head?.commit ?? state.target;
  if (state.status === 'live' || end === undefined || end === 0n) return null;
  const { run } = state;
  const seconds = (Date.parse(state.updatedAt) - Date.parse(run.since)) / 1000;
  const reached = state.position?.commit ?? 0n;
  const passed = Number(reached - run.position);
  const isRunning = seconds > 0 && passed > 0;
  return {
    rate: isRunning ? Math.round(Number(state.events - run.events) / seconds) : 0,
    etaSeconds: isRunning ? Math.max(0, Math.ceil((seconds * Number(end - reached)) / passed)) : null,
    part: Math.min(1, Number(reached) / Number(end)),
  };
};

const failureOf = ({ parked }: ProjectionState): ParkedEvent | null =>
  parked === undefined
    ? null
    : {
        cause: parked.cause,
        position: parked.position === undefined ? null : positionText(parked.position),
        eventId: parked.eventId ?? null,
        eventType: parked.eventType ?? null,
        attempts: parked.attempts,
        since: parked.firstFailedAt,
      };

const textOf = (position: Position | undefined): string | null =>
  position === undefined ? null : positionText(position);

/** What its row says, while somebody works on it. */
const workedOn = ({ status, owned }: ProjectionState): StateStatus | 'waiting' =>
  status === 'failed' || owned ? status : 'waiting';

const buildingOf = (next: ProjectionState | undefined, head: Position | undefined): Building | null => {
  if (next === undefined) return null;
  return {
    state: next.paused ? 'paused' : workedOn(next),
    version: next.version,
    position: textOf(next.position),
    events: Number(next.events),
    progress: progressOf(next, head),
    owner: next.owned ? next.owner : null,
    failure: failureOf(next),
  };
};

const unknown = ({ name, version }: Projection): ProjectionStatus => ({
  name,
  state: 'unknown',
  version,
  position: null,
  head: null,
  lagSeconds: null,
  events: 0,
  generation: '0',
  progress: null,
  owner: null,
  failure: null,
  rebuildAsked: false,
  building: null,
  replaced: null,
});

/** The rows of a projection. */
export type Rows = Readonly<{
  serving: ProjectionState | undefined;
  next: ProjectionState | undefined;
  old: ProjectionState | undefined;
}>;

/** The rows of a projection among all. */
export const rowsOf = (states: ReadonlyMap<string, ProjectionState>, name: string): Rows => ({
  serving: states.get(name),
  next: states.get(stateName(name, 'next')),
  old: states.get(stateName(name, 'old')),
});

/** What is known around the rows: the log's end, the time, and whether the tables have the form of an older release. */
export type Circumstances = Readonly<{ head: Position | undefined; now: Date; isOutdated: boolean }>;

/** Tells how a projection is doing, from its rows. */
export const projectionStatus = (
  projection: Projection,
  { serving, next, old }: Rows,
  { head, now, isOutdated }: Circumstances,
): ProjectionStatus => {
  if (serving === undefined) return unknown(projection);
  return {
    name: serving.name,
    state: isOutdated ? 'outdated' : workedOn(serving),
    version: serving.version,
    position: textOf(serving.position),
    head: textOf(head),
    lagSeconds: lagOf(serving, head, now),
    events: Number(serving.events),
    generation: serving.generation.toString(),
    progress: progressOf(serving, head),
    owner: serving.owned ? serving.owner : null,
    failure: failureOf(serving),
    rebuildAsked: serving.requested > serving.generation,
    building: buildingOf(next, head),
    replaced: old === undefined ? null : { version: old.version, position: textOf(old.position) },
  };
};

import { isAfter, positionText, type Position } from '../../src/kernel/event-store.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import type { ProjectionState } from './projection-state.ts';

/**
 * How a projection is doing. `waiting`: its database, its store or its owner is away, and it goes on by itself.
 * `failed`: an event cannot be applied; tried again with growing pauses. `unknown`: never run on this database.
 */
export type ProjectionStatus = Readonly<{
  name: string;
  state: 'unknown' | 'catching_up' | 'live' | 'waiting' | 'failed';
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
  /** Events a second, seconds to go and the part done from 0 to 1, while catching up on a log of known length. */
  progress: Readonly<{ rate: number; etaSeconds: number | null; part: number }> | null;
  owner: string | null;
  failure: Readonly<{
    cause: string;
    position: string | null;
    eventId: string | null;
    eventType: string | null;
    attempts: number;
    since: string;
  }> | null;
}>;

const lagOf = ({ position, asOf }: ProjectionState, head: Position | undefined, now: Date): number | null => {
  if (head === undefined || !isAfter(head, position)) return 0;
  return asOf === undefined ? null : Math.max(0, (now.getTime() - Date.parse(asOf)) / 1000);
};

const progressOf = (state: ProjectionState, head: Position | undefined): ProjectionStatus['progress'] => {
  const end = head?.commit ?? state.target;
  if (state.status === 'live' || end === undefined || end === 0n) return null;
  const seconds = (Date.parse(state.updatedAt) - Date.parse(state.generationSince)) / 1000;
  const reached = state.position?.commit ?? 0n;
  const part = Math.min(1, Number(reached) / Number(end));
  const running = seconds > 0 && part > 0;
  return {
    rate: running ? Math.round(Number(state.events) / seconds) : 0,
    etaSeconds: running ? Math.ceil((seconds * (1 - part)) / part) : null,
    part,
  };
};

const failureOf = ({ parked }: ProjectionState): ProjectionStatus['failure'] =>
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
});

/** What is known around a state row: the log's end and the time. */
export type Circumstances = Readonly<{ head: Position | undefined; now: Date }>;

/** Tells how a projection is doing, from its state row. */
export const projectionStatus = (
  projection: Projection,
  state: ProjectionState | undefined,
  { head, now }: Circumstances,
): ProjectionStatus => {
  if (state === undefined) return unknown(projection);
  return {
    name: state.name,
    state: state.status === 'failed' || state.owned ? state.status : 'waiting',
    version: state.version,
    position: state.position === undefined ? null : positionText(state.position),
    head: head === undefined ? null : positionText(head),
    lagSeconds: lagOf(state, head, now),
    events: Number(state.events),
    generation: state.generation.toString(),
    progress: progressOf(state, head),
    owner: state.owned ? state.owner : null,
    failure: failureOf(state),
  };
};

import type { Logger } from '../../src/kernel/logger.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { isToBuild } from './beside.ts';
import { runBuild } from './build-session.ts';
import { stateName } from './builds.ts';
import type { SessionDeps, SessionHandle } from './feeding.ts';
import { runSession } from './projection-session.ts';
import type { ProjectionState } from './projection-state.ts';
import type { Work } from './supervisor.ts';

export type WorkDeps = Readonly<{
  logger: Logger;
  /** What a session works with; `key` names the row that it moves. */
  sessionDeps: (key: string, onReading: SessionDeps['onReading']) => SessionDeps;
  /** The ways to reach sessions, by the row that they move. */
  sessions: Map<string, SessionHandle>;
  /** A row of projector.state, as this process knows it. */
  stateOf: (key: string) => ProjectionState | undefined;
  /** Reads the rows anew. */
  refresh: () => Promise<void>;
}>;

/** Keeps the way to reach a session where others find it, until `end`. */
const heldIn = (sessions: WorkDeps['sessions'], key: string) => {
  let mine: SessionHandle | undefined;
  return {
    onReading: (handle: SessionHandle): void => {
      mine = handle;
      sessions.set(key, handle);
    },
    end: (): void => {
      // One that was left behind ends when another has begun.
      if (sessions.get(key) === mine) sessions.delete(key);
    },
  };
};

/** Keeping the tables that readers see up to date. */
const serving = (projection: Projection, { sessions, sessionDeps }: WorkDeps): Work => {
  const { name } = projection;
  return {
    name,
    isWanted: () => true,
    run: (signal) => {
      const { onReading, end } = heldIn(sessions, name);
      return runSession(projection, sessionDeps(name, onReading), signal).finally(end);
    },
  };
};

/** Building others beside them, when that is wanted. */
const building = (projection: Projection, { logger, sessionDeps, sessions, stateOf, refresh }: WorkDeps): Work => {
  const name = stateName(projection.name, 'next');
  return {
    name,
    isWanted: () => isToBuild(stateOf(name), projection),
    run: (signal) => {
      const { onReading, end } = heldIn(sessions, name);
      return runBuild(projection, { ...sessionDeps(name, onReading), logger }, signal).finally(() => {
        end();
        return refresh();
      });
    },
  };
};

/** What there is to do for projections. */
export const projectionWorks = (projections: readonly Projection[], deps: WorkDeps): readonly Work[] =>
  projections.flatMap((projection) => [serving(projection, deps), building(projection, deps)]);

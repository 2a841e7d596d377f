import type { Logger } from '../../src/kernel/logger.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { runBuild } from './build-session.ts';
import { stateName } from './builds.ts';
import type { SessionDeps, SessionHandle } from './feeding.ts';
import { isToBuild } from './prepare.ts';
import { runSession } from './projection-session.ts';
import type { ProjectionState } from './projection-state.ts';
import type { Work } from './supervisor.ts';

export type WorkDeps = Readonly<{
  logger: Logger;
  /** What a session works with; `key` names the row that it moves. */
  sessionDeps: (key: string, onReading: SessionDeps['onReading']) => SessionDeps;
  /** The ways to reach the sessions that keep tables up to date which readers see, by projection. */
  sessions: Map<string, SessionHandle>;
  /** A row of projector.state, as this process knows it. */
  stateOf: (key: string) => ProjectionState | undefined;
  /** Reads the rows anew. */
  refresh: () => Promise<void>;
}>;

/** Keeping the tables that readers see up to date. */
const serving = (projection: Projection, { sessions, sessionDeps }: WorkDeps): Work => {
  const { name } = projection;
  return {
    name,
    isWanted: () => true,
    run: (signal) => {
      let mine: SessionHandle | undefined;
      const deps = sessionDeps(name, (handle) => {
        mine = handle;
        sessions.set(name, handle);
      });
      return runSession(projection, deps, signal).finally(() => {
        // One that was left behind ends when another has begun.
        if (sessions.get(name) === mine) sessions.delete(name);
      });
    },
  };
};

/** Building others beside them, when that is wanted. */
const building = (projection: Projection, { logger, sessionDeps, stateOf, refresh }: WorkDeps): Work => {
  const name = stateName(projection.name, 'next');
  return {
    name,
    isWanted: () => isToBuild(stateOf(name), projection),
    run: (signal) => runBuild(projection, { ...sessionDeps(name, () => undefined), logger }, signal).finally(refresh),
  };
};

/** What there is to do for projections. */
export const projectionWorks = (projections: readonly Projection[], deps: WorkDeps): readonly Work[] =>
  projections.flatMap((projection) => [serving(projection, deps), building(projection, deps)]);

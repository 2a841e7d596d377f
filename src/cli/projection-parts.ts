import { causeOf } from '../../infra/postgres/faults.ts';
import type { Opener } from '../../infra/postgres/project-events.ts';
import { readStates, type ProjectionState } from '../../infra/postgres/projection-state.ts';
import { projectionStatus, rowsOf, type ProjectionStatus } from '../../infra/postgres/projection-status.ts';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import { outdatedOf } from '../../infra/postgres/table-shapes.ts';
import type { EventStore } from '../kernel/event-store.ts';
import type { Projection } from '../kernel/projection.ts';
import { CliError } from './connect.ts';

/** What the tool works with. `write` and `note` print a line on stdout and stderr. */
export type ProjectionParts = Readonly<{
  projections: readonly Projection[];
  store: EventStore;
  pools: Pick<DatabasePools, 'projector'>;
  vault: Opener;
  now: () => Date;
  write: (line: string) => void;
  note: (line: string) => void;
  /** Milliseconds until a build that nobody works on is given up on; 15,000 when absent. */
  patienceMs?: number;
}>;

/** Connects, works and disconnects; parts that do not answer are a CliError with code 2. */
export type WithParts = (work: (parts: ProjectionParts) => Promise<void>) => Promise<void>;

/** The rows of all projections. A database that does not answer is a CliError with code 2. */
export const statesOf = async ({ pools }: ProjectionParts): Promise<readonly ProjectionState[]> => {
  try {
    return await readStates(pools.projector);
  } catch (cause) {
    throw new CliError(2, `The database does not answer, or no server has prepared it yet (${causeOf(cause)}).`);
  }
};

/** How every projection is doing, those of other releases included. */
export const statuses = async (parts: ProjectionParts): Promise<readonly ProjectionStatus[]> => {
  const states = new Map((await statesOf(parts)).map((state) => [state.name, state]));
  const head = await parts.store.head();
  const outdated = await outdatedOf(parts.pools.projector, parts.projections, states);
  return parts.projections.map((projection) =>
    projectionStatus(projection, rowsOf(states, projection.name), {
      head,
      now: parts.now(),
      isOutdated: outdated.has(projection.name),
    }),
  );
};

import type { Position } from '../../src/kernel/event-store.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { buildForUpgrade, needsBuild } from './beside.ts';
import type { DatabasePools } from './pools.ts';
import type { ProjectionState } from './projection-state.ts';
import { rowsOf } from './projection-status.ts';

type Deps = Readonly<{
  projections: readonly Projection[];
  pools: Pick<DatabasePools, 'projector'>;
  logger: Logger;
  instance: string;
}>;

/** What this process knows: all rows, the projections whose tables it cannot read, and the end of the log. */
type Seen = Readonly<{
  states: ReadonlyMap<string, ProjectionState>;
  outdated: ReadonlySet<string>;
  head: Position | undefined;
}>;

/** Where readers see the tables of an older release, begins to build those of this one beside them. */
export const upgrades = ({ projections, pools, logger, instance }: Deps): ((seen: Seen) => Promise<void>) => {
  const warned = new Set<string>();

  /** Says once what nobody here can mend. */
  const warn = ({ name, version }: Projection): void => {
    if (warned.has(name)) return;
    warned.add(name);
    logger.error(
      { projection: name, version },
      'another release has tables of another form under the same version; raise it',
    );
  };

  return async ({ states, outdated, head }) => {
    for (const projection of projections) {
      const { name, version } = projection;
      const { serving, next } = rowsOf(states, name);
      if (outdated.has(name) && serving?.version === version) warn(projection);
      if (!needsBuild(serving, next, projection)) continue;
      await buildForUpgrade(pools.projector, projection, { owner: instance, target: head });
    }
  };
};

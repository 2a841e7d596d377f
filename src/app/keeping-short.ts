import type { DatabasePools } from '../../infra/postgres/pools.ts';
import { removeOutdated } from '../../infra/postgres/retention.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Job } from './jobs.ts';
import { projections } from './read-side.ts';

type Deps = Readonly<{
  pools: Pick<DatabasePools, 'projector'>;
  mayRun: () => boolean;
  clock: Clock;
  logger: Logger;
}>;

const HOUR_MS = 3_600_000;

/** The job that removes rows of read models that are older than their table keeps them. */
export const keepingShort = ({ pools, mayRun, clock, logger }: Deps): Job => ({
  name: 'remove-outdated-rows',
  everyMs: HOUR_MS,
  mayRun,
  run: async () => {
    const tables = projections.flatMap((projection) => projection.tables);
    const rows = await removeOutdated(pools, tables, clock());
    if (rows > 0) logger.info({ rows }, 'outdated rows of read models were removed');
  },
});

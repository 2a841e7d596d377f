import { fileURLToPath } from 'node:url';
import { runner } from 'node-pg-migrate';
import type { Logger } from '../../src/kernel/logger.ts';
import type { DatabasePools } from './pools.ts';

const MIGRATIONS = fileURLToPath(new URL('./migrations', import.meta.url));

/**
 * Brings roles and infrastructure tables up to this build. Instances that start together wait for each other. Its record
 * stands in the schema that it fills, so a dropped schema is made again.
 */
export const migrate = async (pools: Pick<DatabasePools, 'owner'>, logger: Logger): Promise<void> => {
  const client = await pools.owner.connect();
  const info = (message: string): void => logger.debug({}, message);
  try {
    await runner({
      dbClient: client,
      dir: MIGRATIONS,
      direction: 'up',
      migrationsSchema: 'projector',
      migrationsTable: 'migrations',
      createMigrationsSchema: true,
      advisoryLockMode: 'wait',
      logger: { debug: info, info, warn: info, error: (message: string) => logger.error({}, message) },
    });
  } catch (error) {
    client.release(true);
    throw error;
  }
  client.release();
};

import pg from 'pg';
import { migrateVault, postgresVault } from '../../infra/vault/postgres-vault.ts';
import { freshDatabase, type TestDatabase } from '../support/postgres.ts';
import { vaultContract } from './vault.contract.ts';

describe('the key vault on a real server', function () {
  this.timeout(60_000);
  let database: TestDatabase;
  let pools: pg.Pool[] = [];

  before(async () => {
    database = await freshDatabase();
    const pool = (): pg.Pool => new pg.Pool({ ...database.config, max: 2 });
    pools = [pool(), pool()];
    await Promise.all(pools.map(migrateVault));
  });

  after(async () => {
    await Promise.all(pools.map((pool) => pool.end()));
    await database.drop();
  });

  let turn = 0;
  vaultContract('Postgres', () => (options) => {
    turn += 1;
    const pool = pools[turn % pools.length]!;
    return Promise.resolve(postgresVault({ pool, ...options }));
  });
});

import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { startPostgres, type EmbeddedPostgres } from '../../infra/embedded/postgres/launch.ts';
import { databasePools, type DatabasePools } from '../../infra/postgres/pools.ts';
import type { Projector } from '../../infra/postgres/projector.ts';
import { queryRunner } from '../../infra/postgres/query-runner.ts';
import { isDatabaseUnavailable, sql } from '../../src/kernel/query.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { counted, counters, counting, testProjector, until } from './fixture.ts';

describe('read models when Postgres goes and comes back', () => {
  const folder = temporaryFolder();
  const dataDir = join(folder, 'postgres');
  const user = randomUUID();
  const store = memoryEventStore();
  let server: EmbeddedPostgres;
  let pools: DatabasePools;
  let running: Projector;

  const total = () =>
    queryRunner(pools).asUser(user, {
      statement: sql`select total from ${counters}`,
      present: (rows: readonly Readonly<{ total: bigint }>[]) => rows[0]?.total,
    });

  before(async function () {
    this.timeout(60_000);
    server = await startPostgres({ dataDir, durable: false });
    pools = databasePools({ url: server.url, logger: silentLogger });
    running = testProjector({ projections: [counting()], store, pools });
    running.start();
  });
  after(async () => {
    await running.stop();
    await pools.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers that they are unavailable, and catches up by itself', async function () {
    this.timeout(60_000);
    const { position } = await store.append(`counter-${user}`, 'any', [counted(1n)]);
    expect(await running.waitFor(position, { timeoutMs: 20_000 })).to.equal(true);
    expect(await total()).to.equal(1n);

    await server.stop();
    const { position: meanwhile } = await store.append(`counter-${user}`, 'any', [counted(2n), counted(4n)]);
    expect(await running.waitFor(meanwhile, { timeoutMs: 100 })).to.equal(false);
    const refused = await total().catch((error: unknown) => error);
    expect(isDatabaseUnavailable(refused)).to.equal(true);
    // A projection that waits for its server has not failed.
    expect(running.status()[0]?.failure).to.equal(null);

    server = await startPostgres({ dataDir, durable: false });
    expect(await running.waitFor(meanwhile, { timeoutMs: 30_000 })).to.equal(true);
    expect(await total()).to.equal(7n);
    await until(() => running.status()[0]?.state === 'live');
  });
});

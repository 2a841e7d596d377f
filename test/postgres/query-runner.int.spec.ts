import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import pg from 'pg';
import { databasePools, type DatabasePools } from '../../infra/postgres/pools.ts';
import { queryRunner } from '../../infra/postgres/query-runner.ts';
import { createSchema, createTable } from '../../infra/postgres/table-ddl.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { isDatabaseUnavailable, sql, type Query } from '../../src/kernel/query.ts';
import { counters, database } from './fixture.ts';

type Total = Readonly<{ user_id: string; total: bigint }>;

const everything: Query<Total, readonly Total[]> = {
  statement: sql`select user_id, total from ${counters}`,
  present: (rows) => rows,
};
const query = (text: string): Query<unknown, readonly unknown[]> => ({
  statement: { text, values: [] },
  present: (rows) => rows,
});

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
  } catch (error) {
    return isDatabaseUnavailable(error) ? error.tag : String((error as { code?: unknown }).code);
  }
  return 'done';
};

describe('query runner', () => {
  const ada = randomUUID();
  const bob = randomUUID();
  let pools: DatabasePools;
  let url: string;
  let drop: () => Promise<void>;

  before(async () => {
    ({ pools, url, drop } = await database());
    for (const statement of [...createSchema(), ...createTable(counters)]) await pools.projector.query(statement);
    await pools.projector.query('insert into rm.test_counter (user_id, total) values ($1, 9007199254740993), ($2, 2)', [
      ada,
      bob,
    ]);
  });
  after(() => drop());

  it('shows a user only their own rows, with exact numbers', async () => {
    const runner = queryRunner(pools);
    expect(await runner.asUser(ada, everything)).to.deep.equal([{ user_id: ada, total: 9007199254740993n }]);
    expect(await runner.asUser(bob, everything)).to.deep.equal([{ user_id: bob, total: 2n }]);
    expect(await runner.asUser(randomUUID(), everything)).to.deep.equal([]);
  });

  it('shows the system everything', async () => {
    expect(await queryRunner(pools).asSystem(everything)).to.have.length(2);
  });

  it('shows nothing on a connection without a user, fresh or used', async () => {
    const one = databasePools({ url, logger: silentLogger, sizes: { app_user: 1 } });
    const { rows: fresh } = await one.appUser.query('select user_id from rm.test_counter');
    expect(fresh).to.deep.equal([]);
    await queryRunner(one).asUser(ada, everything);
    const { rows: used } = await one.appUser.query('select user_id from rm.test_counter');
    expect(used).to.deep.equal([]);
    await one.close();
  });

  it('forgets the user also when the question fails', async () => {
    const one = databasePools({ url, logger: silentLogger, sizes: { app_user: 1 } });
    const runner = queryRunner(one);
    expect(await codeOf(runner.asUser(ada, query('select 1 / 0')))).to.equal('22012');
    const { rows } = await one.appUser.query(`select current_setting('app.user_id', true) as id from rm.test_counter`);
    expect(rows).to.deep.equal([]);
    expect(await runner.asUser(bob, everything)).to.have.length(1);
    await one.close();
  });

  it('keeps concurrent users apart on one connection', async () => {
    const one = databasePools({ url, logger: silentLogger, sizes: { app_user: 2 } });
    const runner = queryRunner(one);
    const asked = Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? ada : bob));
    const seen = await Promise.all(asked.map((user) => runner.asUser(user, everything)));
    expect(seen.map(([row]) => row?.user_id)).to.deep.equal(asked);
    await one.close();
  });

  it('lets nobody who serves write, whatever the statement', async () => {
    const runner = queryRunner(pools);
    const write = query(`update rm.test_counter set total = 1`);
    expect(await codeOf(runner.asUser(ada, write))).to.be.oneOf(['25006', '42501']);
    expect(await codeOf(runner.asSystem(write))).to.equal('42501');
    // Without the read-only transaction as well: the role has no such right.
    for (const pool of [pools.appUser, pools.appSystem])
      for (const text of [
        'update rm.test_counter set total = 1',
        'delete from rm.test_counter',
        'truncate rm.test_counter',
        'drop table rm.test_counter',
        'alter table rm.test_counter no force row level security',
        'create table rm.mine (id int)',
        'create temporary table mine (id int)',
        `insert into rm.test_counter (user_id) values ('${ada}')`,
        'update projector.state set requested = 0',
      ])
        expect(await codeOf(pool.query(text)), text).to.equal('42501');
  });

  it('gives the role that serves users no view of the projector', async () => {
    expect(await codeOf(pools.appUser.query('select * from projector.state'))).to.equal('42501');
  });

  it('goes back to its own role on RESET ROLE, not to the owner', async () => {
    const client = await pools.appUser.connect();
    await client.query('reset role');
    const { rows } = await client.query<{ current_user: string }>('select current_user');
    expect(rows[0]?.current_user).to.equal('app_user');
    expect((await client.query('select from rm.test_counter')).rowCount).to.equal(0);
    client.release(true);
  });

  it('takes one statement a question, so that nothing can be smuggled in behind it', async () => {
    const smuggled = { statement: { text: `select $1::int; reset role`, values: [1] }, present: () => undefined };
    expect(await codeOf(queryRunner(pools).asUser(ada, smuggled))).to.equal('42601');
  });

  it('can be given a login of its own, which cannot become the owner', async () => {
    await pools.owner.query(`do $$ begin create role app_user_login login in role app_user;
      exception when duplicate_object or unique_violation then null; end $$`);
    const separate = databasePools({
      url,
      urls: { app_user: url.replace('//postgres@', '//app_user_login@') },
      logger: silentLogger,
    });
    expect(await codeOf(separate.appUser.query('set role postgres'))).to.equal('42501');
    await separate.appUser.query('reset role');
    expect(await codeOf(separate.appUser.query('set role projector'))).to.equal('42501');
    expect(await queryRunner(separate).asUser(ada, everything)).to.have.length(1);
    await separate.close();
  });

  it('does not let the address override the role', async () => {
    const tricky = databasePools({ url: `${url}&options=-c%20role%3Dpostgres`, logger: silentLogger });
    const { rows } = await tricky.appUser.query<{ current_user: string }>('select current_user');
    expect(rows[0]?.current_user).to.equal('app_user');
    await tricky.close();
  });

  it('says that a table which is not there is being prepared', async () => {
    const missing = query('select * from rm.test_not_there');
    expect(await codeOf(queryRunner(pools).asUser(ada, missing))).to.equal('DatabaseUnavailableError');
  });

  it('says that the database is not available when its connection goes', async () => {
    const runner = queryRunner(pools);
    const asked = codeOf(runner.asUser(ada, query('select pg_sleep(30)')));
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    let ended = 0;
    while (ended === 0) {
      const { rows } = await client.query<{ ended: string }>(
        `select count(pg_terminate_backend(pid)) as ended from pg_stat_activity
         where datname = current_database() and query like '%pg_sleep(30)%' and pid <> pg_backend_pid()`,
      );
      ended = Number(rows[0]?.ended);
    }
    await client.end();
    expect(await asked).to.equal('DatabaseUnavailableError');
    expect(await runner.asUser(ada, everything)).to.have.length(1);
  });

  it('says that the database is not available when there is none', async () => {
    const nowhere = databasePools({ url: 'postgresql://nobody@127.0.0.1:1/none', logger: silentLogger });
    expect(await codeOf(queryRunner(nowhere).asSystem(everything))).to.equal('DatabaseUnavailableError');
    await nowhere.close();
  });
});

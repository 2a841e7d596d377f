import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  appendFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { findProcess } from '../../infra/embedded/postgres/processes.ts';
import { startPostgres, type EmbeddedPostgres } from '../../infra/embedded/postgres/launch.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { ask, forkHolder, kill9, until } from './holder.ts';

describe('the embedded Postgres', function () {
  this.timeout(20_000);
  let store: string;
  let folder: string;
  let running: EmbeddedPostgres[];

  // One home for the tests in which neither the first start nor what is in it is the question.
  before(() => (store = temporaryFolder()));
  after(() => rmSync(store, { recursive: true, force: true }));
  beforeEach(() => {
    folder = temporaryFolder();
    running = [];
  });
  afterEach(async () => {
    await Promise.all(running.map((server) => server.stop()));
    rmSync(folder, { recursive: true, force: true });
  });

  const startAt = async (dataDir: string, durable = false): Promise<EmbeddedPostgres> => {
    const server = await startPostgres({ dataDir, durable });
    running.push(server);
    return server;
  };
  const usual = (): string => join(store, 'usual');
  const startUsual = (): Promise<EmbeddedPostgres> => startAt(usual());
  /** The usual home under another name for the length of a test. */
  const withMoved = async (name: string, use: (server: EmbeddedPostgres) => Promise<void>): Promise<void> => {
    await (await startUsual()).stop();
    const moved = join(folder, name);
    renameSync(usual(), moved);
    try {
      const server = await startAt(moved);
      await use(server).finally(server.stop);
    } finally {
      renameSync(moved, usual());
    }
  };
  const failureOf = async (started: Promise<unknown>): Promise<string> => {
    const error: unknown = await started.then(
      () => expect.fail('it started'),
      (reason: unknown) => reason,
    );
    return String(error);
  };

  it('makes a durable cluster at the first start and answers through both addresses', async () => {
    const server = await startAt(join(folder, 'postgres'), true);
    const settings = await ask(
      server.url,
      `select current_database() as database, current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit,
       current_setting('full_page_writes') as pages, current_setting('listen_addresses') as tcp, current_setting('jit') as jit,
       current_setting('TimeZone') as zone, current_setting('server_encoding') as encoding, current_setting('wal_compression') as compression`,
    );
    expect(settings).to.deep.equal([
      {
        database: 'plantocode',
        fsync: 'on',
        commit: 'on',
        pages: 'on',
        tcp: '',
        jit: 'off',
        zone: 'UTC',
        encoding: 'UTF8',
        compression: 'pglz',
      },
    ]);
    expect(await ask(server.config, `select datlocale from pg_database where datname = 'plantocode'`)).to.deep.equal([
      { datlocale: 'C.UTF-8' },
    ]);
  });

  it('keeps the socket and the files to the account that runs it, which is never root', async () => {
    const { config, home, pid } = await startUsual();
    for (const directory of [config.host, join(home, 'cluster')])
      expect(statSync(directory).mode & 0o777).to.equal(0o700);
    const account = statSync(join(home, 'cluster')).uid;
    expect(account).to.not.equal(0);
    expect(statSync(config.host).uid).to.equal(account);
    if (process.platform === 'linux') expect(statSync(`/proc/${pid}`).uid).to.equal(account);
  });

  it('stops cleanly and finds its data again', async () => {
    const first = await startUsual();
    await ask(first.config, 'create table kept as select 42 as answer');
    await first.stop();
    expect(await first.exited).to.deep.equal({ code: 0, signal: null, asked: true });
    expect(findProcess(first.pid)).to.equal(undefined);
    const second = await startUsual();
    expect(await ask(second.config, 'select answer from kept')).to.deep.equal([{ answer: 42 }]);
  });

  it('runs two servers side by side', async () => {
    const [one, two] = await Promise.all([startUsual(), startAt(join(folder, 'other'))]);
    await ask(one.config, 'create table only_here ()');
    expect(await ask(two.config, `select to_regclass('only_here') as found`)).to.deep.equal([{ found: null }]);
  });

  it('refuses a directory that another running server uses, and leaves that server alone', async () => {
    const first = await startUsual();
    expect(await failureOf(startPostgres({ dataDir: usual() }))).to.include('in use by a running server');
    expect(await ask(first.config, 'select 1 as alive')).to.deep.equal([{ alive: 1 }]);
  });

  it('uses a short directory for the socket when the path is too long, and clears it away', async () => {
    let host = '';
    await withMoved('a-long-name-'.repeat(10), async ({ config, url }) => {
      host = config.host;
      expect(Buffer.byteLength(`${host}/.s.PGSQL.5432`)).to.be.lessThan(104);
      expect(await ask(url, 'select 1 as here')).to.deep.equal([{ here: 1 }]);
    });
    expect(statSync(host, { throwIfNoEntry: false })).to.equal(undefined);
  });

  it('lives below a path with blanks, commas, quotes and signs of other languages', async () => {
    await withMoved(`it's "a", b%20ü\\c`, async ({ config, url, home }) => {
      expect(config.host).to.equal(join(home, 'socket'));
      expect(await ask(url, 'select 1 as here')).to.deep.equal([{ here: 1 }]);
    });
  });

  it('does not write to its log what users wrote', async () => {
    const { config, home } = await startUsual();
    await ask(config, `create table secrets (word text unique); insert into secrets values ('xyzzy')`);
    await ask(config, `insert into secrets values ('xyzzy')`).catch(() => undefined);
    const log = readFileSync(join(home, 'postgres.log'), 'utf8');
    expect(log).to.include('duplicate key value').and.not.include('xyzzy');
  });

  it('moves a large log away at start', async () => {
    const home = usual();
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'postgres.log'), Buffer.alloc(6 * 1024 * 1024, 'x'));
    await startUsual();
    expect(statSync(join(home, 'postgres.log.1')).size).to.equal(6 * 1024 * 1024);
    expect(statSync(join(home, 'postgres.log')).size).to.be.lessThan(100_000);
  });

  it('tells the end of the log when it cannot start, and starts when that is mended', async () => {
    const { home, stop } = await startUsual();
    await stop();
    const configuration = join(home, 'cluster', 'postgresql.conf');
    const sound = readFileSync(configuration, 'utf8');
    appendFileSync(configuration, `\nno_such_setting = 1\n`);
    expect(await failureOf(startUsual())).to.include('no_such_setting');
    writeFileSync(configuration, sound);
    expect(await ask((await startUsual()).config, 'select 1 as well')).to.deep.equal([{ well: 1 }]);
  });

  it('refuses a cluster of another version', async () => {
    const { home, stop } = await startUsual();
    await stop();
    const found = readFileSync(join(home, 'cluster', 'PG_VERSION'));
    writeFileSync(join(home, 'cluster', 'PG_VERSION'), '17\n');
    expect(await failureOf(startUsual())).to.include('made by Postgres 17');
    writeFileSync(join(home, 'cluster', 'PG_VERSION'), found);
  });

  it('never makes a cluster over files it does not know', async () => {
    mkdirSync(join(folder, 'postgres', 'cluster'), { recursive: true });
    writeFileSync(join(folder, 'postgres', 'cluster', 'letter.txt'), 'dear');
    expect(await failureOf(startAt(join(folder, 'postgres')))).to.include('ENOTEMPTY');
    expect(readFileSync(join(folder, 'postgres', 'cluster', 'letter.txt'), 'utf8')).to.equal('dear');
  });

  it('starts over when it was killed while making the cluster', async () => {
    const home = join(folder, 'postgres');
    const halfMade = (): string[] => {
      const found = statSync(home, { throwIfNoEntry: false }) === undefined ? [] : readdirSync(home);
      return found.filter((name) => name.startsWith('cluster.new-'));
    };
    const first = forkHolder({ dataDir: home });
    await until('initdb is at work', () => halfMade().some((name) => readdirSync(join(home, name)).includes('base')));
    await kill9(first);
    expect(halfMade()).to.have.length(1);
    expect(readdirSync(home)).to.not.include('cluster');
    expect(await ask((await startAt(join(folder, 'postgres'))).config, 'select 1 as whole')).to.deep.equal([
      { whole: 1 },
    ]);
  });
});

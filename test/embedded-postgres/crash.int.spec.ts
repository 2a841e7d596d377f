import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import pg from 'pg';
import { findProcess, postgresOf } from '../../infra/embedded/postgres/processes.ts';
import { startPostgres, type EmbeddedPostgres } from '../../infra/embedded/postgres/launch.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { ask, hold, kill9, until, type Held } from './holder.ts';

describe('the embedded Postgres after a kill', function () {
  this.timeout(30_000);
  let folder: string;
  let dataDir: string;
  let clusterDir: string;
  let server: EmbeddedPostgres | undefined;
  let written = 0;

  before(async () => {
    folder = temporaryFolder();
    dataDir = join(folder, 'postgres');
    clusterDir = join(dataDir, 'cluster');
    server = await startPostgres({ dataDir });
    await ask(server.config, 'create table kept (n int)');
    await server.stop();
  });
  afterEach(() => server?.stop());
  after(() => rmSync(folder, { recursive: true, force: true }));

  const start = async (): Promise<EmbeddedPostgres> => (server = await startPostgres({ dataDir }));
  const write = (config: pg.ClientConfig) => ask(config, `insert into kept values (${++written})`);
  const expectAllKept = async (): Promise<void> => {
    const { config } = await start();
    expect(await ask(config, 'select count(*)::int as rows, max(n) as last from kept')).to.deep.equal([
      { rows: written, last: written },
    ]);
  };
  const heldWithARow = async (): Promise<Held> => {
    const held = await hold({ dataDir });
    await write(held.server.config);
    return held;
  };
  const gone = (pid: number) => () => findProcess(pid) === undefined;
  /** The shell that watches over a keeper. */
  const guardOf = (postmaster: number): number => {
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    const guard = pids.find((pid) => {
      const words = findProcess(Number(pid))?.command ?? [];
      return words.includes('guard') && words.includes(String(postmaster));
    });
    return Number(guard);
  };

  it('tells that the server died, and brings every row back', async () => {
    const { config, pid, exited } = await start();
    await write(config);
    process.kill(pid, 'SIGKILL');
    expect(await exited).to.deep.equal({ code: null, signal: 'SIGKILL', asked: false });
    await expectAllKept();
  });

  it('starts although a busy backend outlives its server', async () => {
    const { config, pid, exited } = await start();
    await write(config);
    const busy = new pg.Client(config);
    busy.on('error', () => undefined);
    await busy.connect();
    const counting = busy.query('select count(*) from generate_series(1, 1e12)').catch(() => undefined);
    const backends = () => postgresOf(clusterDir).backends.map(({ command }) => command.join(' '));
    await until('the backend counts', () => backends().some((title) => title.includes('SELECT')));
    process.kill(pid, 'SIGKILL');
    await exited;
    await expectAllKept();
    await counting;
  });

  it('ends the server when its keeper is killed', async () => {
    const { config, pid, keeperPid, exited } = await start();
    await write(config);
    process.kill(keeperPid!, 'SIGKILL');
    expect(await exited).to.include({ asked: false });
    expect(findProcess(pid)).to.equal(undefined);
    await expectAllKept();
  });

  it('ends the server when its application is killed', async () => {
    const held = await heldWithARow();
    await kill9(held.process);
    await until('the server is gone', gone(held.server.pid));
    await until('the keeper is gone', gone(held.server.keeperPid!));
    await expectAllKept();
  });

  it('waits for the keeper of a killed application when started again at once', async () => {
    const held = await heldWithARow();
    await kill9(held.process);
    await expectAllKept();
  });

  it('ends the server when application and keeper are killed together', async () => {
    const held = await heldWithARow();
    process.kill(held.server.keeperPid!, 'SIGKILL');
    await kill9(held.process);
    await until('the server is gone', gone(held.server.pid));
    await expectAllKept();
  });

  it('stops an orphan that nobody watches any more', async function () {
    if (process.platform !== 'linux') this.skip();
    const held = await heldWithARow();
    process.kill(guardOf(held.server.pid), 'SIGKILL');
    process.kill(held.server.keeperPid!, 'SIGKILL');
    await kill9(held.process);
    expect(findProcess(held.server.pid)).to.not.equal(undefined);
    await expectAllKept();
    expect(findProcess(held.server.pid)).to.equal(undefined);
  });

  it('finds such an orphan without its pid file too', async function () {
    if (process.platform !== 'linux') this.skip();
    const held = await heldWithARow();
    process.kill(guardOf(held.server.pid), 'SIGKILL');
    process.kill(held.server.keeperPid!, 'SIGKILL');
    await kill9(held.process);
    rmSync(join(clusterDir, 'postmaster.pid'));
    await expectAllKept();
    expect(findProcess(held.server.pid)).to.equal(undefined);
  });

  it('leaves a container alone that runs the same command on files of its own', async function () {
    const inContainer = ['--mount', 'bash', '-c', 'exec -a postgres sh -c "sleep 60; exit" -D "$0"', clusterDir];
    if (spawnSync('/usr/bin/unshare', ['--mount', 'bash', '-c', 'true']).status !== 0) this.skip();
    const stranger = spawn('/usr/bin/unshare', inContainer, { cwd: '/', stdio: 'ignore', detached: true });
    const command = () => findProcess(stranger.pid!)?.command ?? [];
    await until('the stranger looks like our server', () => command()[0] === 'postgres');
    expect(command().slice(-2)).to.deep.equal(['-D', clusterDir]);
    await expectAllKept();
    expect(findProcess(stranger.pid!)).to.not.equal(undefined);
    process.kill(-stranger.pid!, 'SIGKILL');
  });

  describe('with a stale pid file whose number is in use again', () => {
    let stranger: ChildProcess;
    const leaveStale = async (uid: number): Promise<void> => {
      const { pid, exited } = await start();
      const file = join(clusterDir, 'postmaster.pid');
      const lines = readFileSync(file, 'utf8').split('\n');
      process.kill(pid, 'SIGKILL');
      await exited;
      stranger = spawn('sleep', ['60'], { uid, cwd: '/', stdio: 'ignore' });
      await once(stranger, 'spawn');
      writeFileSync(file, [String(stranger.pid), ...lines.slice(1)].join('\n'));
    };
    afterEach(() => stranger.kill('SIGKILL'));

    for (const who of ['the database user', 'ourselves'] as const)
      it(`neither waits for nor harms a program of ${who}`, async () => {
        await leaveStale(who === 'ourselves' ? process.getuid!() : statSync(clusterDir).uid);
        await expectAllKept();
        expect(stranger.exitCode ?? stranger.signalCode).to.equal(null);
        expect(findProcess(stranger.pid!)).to.not.equal(undefined);
      });
  });
});

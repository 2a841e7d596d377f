import { randomUUID } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { canEnter, ownAccount, serverAccount, type Account } from './account.ts';
import type { Log } from './log.ts';
import { nameOf, ownDirectory } from './own-directory.ts';

/** Where one embedded server lives: the folder with its cluster, socket and log, and the account that runs it. */
export type Home = Readonly<{ path: string; clusterDir: string; account: Account; abandoned: boolean }>;

/** Where things go that cannot be where they were wanted: kept over a reboot, and every user may enter. */
export const FALLBACK_ROOT = '/var/tmp';

const MARK = 'moved-to-fallback.id';
const readMark = (directory: string): string | undefined => {
  const file = join(directory, MARK);
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined;
};

const at = (path: string, abandoned = false): Home => {
  const clusterDir = join(path, 'cluster');
  return { path, clusterDir, account: serverAccount(clusterDir), abandoned };
};

/** Ours by contract, so its own mode may be opened for passing through; what is inside stays closed. */
const openHome = (wanted: string): string => {
  mkdirSync(wanted, { recursive: true, mode: 0o711 });
  const path = realpathSync(wanted);
  const { uid } = ownAccount();
  const owner = statSync(path).uid;
  if (owner === uid) chmodSync(path, uid === 0 ? 0o711 : 0o700);
  else if (uid !== 0) throw new Error(`${path} belongs to user ${owner}; start as that user or as root.`);
  return path;
};

/**
 * Prepares the folder for a server wanted at a path. When the account cannot reach it, a folder of ours below the
 * fallback root stands in, and a mark in both keeps them together: a folder whose mark was deleted with the wanted one
 * is `abandoned`, so that clearing the data directory clears the database too.
 */
export const prepareHome = (wanted: string, fallbackRoot: string, log: Log): Home => {
  const path = openHome(wanted);
  const fallback = join(fallbackRoot, `plantocode-${nameOf(path)}`);
  const mark = readMark(path);
  const moved = mark !== undefined && existsSync(fallback) && readMark(fallback) === mark;
  if (!moved && canEnter(at(path).account, path)) return at(path);
  ownDirectory(fallback, 0o711);
  if (!canEnter(at(fallback).account, fallback))
    throw new Error(`Neither ${path} nor ${fallback} can be entered by the user that runs Postgres.`);
  log.warn({ wanted: path, used: fallback }, 'the database user cannot reach the data directory, using another');
  if (moved) return at(fallback);
  const id = randomUUID();
  writeFileSync(join(fallback, MARK), id);
  writeFileSync(join(path, MARK), id);
  return at(fallback, existsSync(join(fallback, 'cluster')));
};

/** Sets a cluster aside whose data directory was cleared; one is kept, in case the clearing was a mistake. */
export const setAside = ({ path, clusterDir }: Home): void => {
  const aside = join(path, 'cluster.set-aside');
  rmSync(aside, { recursive: true, force: true });
  renameSync(clusterDir, aside);
};

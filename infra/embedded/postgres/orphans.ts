import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { isAttended, isKeeper } from './kept-server.ts';
import type { Log } from './log.ts';
import { findProcess, isPostmaster, postgresOf, type Process } from './processes.ts';

/** Longer than a keeper's own patience with its server (milliseconds). */
const KEEPER_LIMIT = 40_000;
/** How long backends may take to notice that their server has died (milliseconds). */
const BACKEND_GRACE = 1_000;

const pidFile = (clusterDir: string): string => join(clusterDir, 'postmaster.pid');
const lines = (clusterDir: string): readonly string[] =>
  existsSync(pidFile(clusterDir)) ? readFileSync(pidFile(clusterDir), 'utf8').split('\n') : [];

/** Waits for a condition to hold; answers whether it did within the limit (milliseconds). */
const within = async (limit: number, holds: () => boolean): Promise<boolean> => {
  const end = performance.now() + limit;
  while (!holds()) {
    if (performance.now() > end) return false;
    await pause(20);
  }
  return true;
};

const signal = (pid: number, name: NodeJS.Signals): void => {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

/** Stops one postmaster that is known to be of this cluster: fast, then at once, then hard. Each way keeps what was committed. */
export const stopPostmaster = async (pid: number, clusterDir: string): Promise<void> => {
  const gone = (): boolean => {
    const found = findProcess(pid);
    return found === undefined || !isPostmaster(found, clusterDir);
  };
  for (const [name, limit] of [
    ['SIGINT', 20_000],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const) {
    if (gone()) return;
    signal(pid, name);
    if (await within(limit, gone)) return;
  }
  throw new Error(`An old Postgres (process ${pid}) of ${clusterDir} cannot be stopped.`);
};

/** A keeper without its application is stopping the server right now; one that has it serves somebody else. */
const leaveToKeeper = async (found: Process, clusterDir: string): Promise<void> => {
  const keeper = findProcess(found.parent);
  if (keeper === undefined || !isKeeper(keeper)) return;
  if (isAttended(keeper)) throw new Error(`${clusterDir} is in use by a running server (process ${found.pid}).`);
  await within(KEEPER_LIMIT, () => findProcess(found.pid) === undefined || findProcess(keeper.pid) === undefined);
};

/**
 * Ends what an earlier run left alive on this cluster: a postmaster without its keeper, and backends without their
 * postmaster. Throws when a living server of somebody else is using it. Processes of other programs are never touched.
 */
export const stopOrphans = async (clusterDir: string, log: Log): Promise<void> => {
  for (const found of postgresOf(clusterDir).postmasters) {
    await leaveToKeeper(found, clusterDir);
    if (findProcess(found.pid) === undefined) continue;
    log.warn({ pid: found.pid }, 'stopping a Postgres that an earlier run left behind');
    await stopPostmaster(found.pid, clusterDir);
  }
  // Backends end by themselves when their postmaster dies, unless they are busy; until then they hold its memory.
  const alone = (): boolean => postgresOf(clusterDir).backends.length === 0;
  if (await within(BACKEND_GRACE, alone)) return;
  for (const { pid } of postgresOf(clusterDir).backends) signal(pid, 'SIGKILL');
  if (!(await within(5_000, alone))) throw new Error(`Old Postgres processes of ${clusterDir} cannot be stopped.`);
};

/**
 * The environment that lets Postgres pass a stale pid file whose number now belongs to a stranger of the same user.
 * Postgres takes a process named so for its launcher and goes on, and keeps its other check (shared memory in use),
 * which deleting the file would lose.
 */
export const passStalePid = (clusterDir: string): Record<string, string> => {
  const pid = lines(clusterDir)[0]?.trim() ?? '';
  return /^\d+$/.test(pid) ? { PG_GRANDPARENT_PID: pid } : {};
};

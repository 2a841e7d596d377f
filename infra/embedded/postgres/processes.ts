import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/** A running process: its parent and its command line. */
export type Process = Readonly<{ pid: number; parent: number; command: readonly string[] }>;

/** The answer, or nothing when the process has gone (or is not ours to look at). */
const ifThere = <T>(look: () => T): T | undefined => {
  try {
    return look();
  } catch {
    return undefined;
  }
};

const readProc = (pid: number): Process | undefined =>
  ifThere(() => {
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
      .split('\0')
      .filter((word) => word !== '');
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    // Killed and not yet fetched by its parent: it holds nothing any more.
    if (/^State:\s+[ZX]/m.test(status)) return undefined;
    const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);
    return { pid, parent, command };
  });

const readPs = (filter: readonly string[]): readonly Process[] => {
  const list = ifThere(() =>
    execFileSync('ps', [...filter, '-ww', '-o', 'pid=,ppid=,stat=,command='], { encoding: 'utf8' }),
  );
  return (list ?? '').split('\n').flatMap((line) => {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (command === undefined || state?.startsWith('Z') === true) return [];
    return [{ pid: Number(pid), parent: Number(parent), command: command.split(' ') }];
  });
};

const hasProc = process.platform === 'linux';

/** One process, or undefined when there is none (a zombie counts as none). */
export const findProcess = (pid: number): Process | undefined =>
  hasProc ? readProc(pid) : readPs(['-p', String(pid)])[0];

/** Every process that this user may see. */
const allProcesses = (): readonly Process[] =>
  hasProc
    ? readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readProc(Number(name)) ?? []) : []))
    : readPs(['-ax']);

/** A container on this machine may run the same command line on files of its own. */
const seesOurFiles = ({ pid }: Process): boolean =>
  !hasProc || ifThere(() => readlinkSync(`/proc/${pid}/ns/mnt`)) === readlinkSync('/proc/self/ns/mnt');

const namesDirectory = ({ command }: Process, directory: string): boolean =>
  ` ${command.join(' ')} `.includes(` -D ${directory} `);

/** Whether the process works in the directory itself, by whatever path it came there. */
const standsIn = ({ pid }: Process, directory: string): boolean =>
  ifThere(() => {
    const [at, wanted] = [statSync(`/proc/${pid}/cwd`), statSync(directory)];
    return at.dev === wanted.dev && at.ino === wanted.ino;
  }) === true;

/** Whether it is the main Postgres process of this very cluster, not a stranger who got its number. */
export const isPostmaster = (found: Process, clusterDir: string): boolean =>
  basename(found.command[0] ?? '') === 'postgres' &&
  (standsIn(found, clusterDir) || (namesDirectory(found, clusterDir) && seesOurFiles(found)));

const isBackend = (found: Process, clusterDir: string): boolean =>
  found.command[0]?.startsWith('postgres: ') === true && standsIn(found, clusterDir);

/** The Postgres processes of a cluster, found by what they run, so that a lost or stale pid file hides none. */
export const postgresOf = (
  clusterDir: string,
): Readonly<{ postmasters: readonly Process[]; backends: readonly Process[] }> => {
  const all = allProcesses();
  return {
    postmasters: all.filter((found) => isPostmaster(found, clusterDir)),
    backends: all.filter((found) => isBackend(found, clusterDir)),
  };
};

import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds of processor time by part of the server. */
export type ProcessCpu = Readonly<{ app: number; eventNode: number; postgres: number; other: number }>;

type Process = Readonly<{ parent: number; ms: number; command: string }>;

/** The kernel counts in hundredths of a second. */
const TICK_MS = 10;

const processOf = (pid: number): Process | undefined => {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in brackets, may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const ms = (Number(fields[11]) + Number(fields[12])) * TICK_MS;
    return { parent: Number(fields[1]), ms, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8') };
  } catch {
    return undefined;
  }
};

const partOf = (pid: number, root: number, command: string): keyof ProcessCpu => {
  if (pid === root) return 'app';
  if (command.includes('event-node')) return 'eventNode';
  return command.includes('postgres') ? 'postgres' : 'other';
};

/** What a server and all that it has started have used so far. Linux only. */
export const cpuOf = (root: number): ProcessCpu => {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  const processes = new Map(pids.map((pid) => [pid, processOf(pid)]));
  const belongs = (pid: number): boolean => {
    const parent = processes.get(pid)?.parent ?? 0;
    return pid === root || (parent > 1 && belongs(parent));
  };
  const used = { app: 0, eventNode: 0, postgres: 0, other: 0 };
  for (const [pid, found] of processes)
    if (found !== undefined && belongs(pid)) used[partOf(pid, root, found.command)] += found.ms;
  return used;
};

/** The time between two looks, shared out among so many requests. */
export const cpuPerRequest = (before: ProcessCpu, after: ProcessCpu, requests: number): ProcessCpu => ({
  app: (after.app - before.app) / requests,
  eventNode: (after.eventNode - before.eventNode) / requests,
  postgres: (after.postgres - before.postgres) / requests,
  other: (after.other - before.other) / requests,
});

import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EventStoreDBClient } from '@eventstore/db-client';
import { startEventNode } from '../../infra/embedded/event-node/launch.ts';

/** A server under measurement in a process of its own. */
export type Contender = { url: string; client: EventStoreDBClient; pid: number; stop: () => Promise<void> };

/** The in-memory server: the ceiling of client and protocol. */
export const startMemoryServer = async (): Promise<Contender> => {
  const program = fileURLToPath(new URL('memory-server.ts', import.meta.url));
  const child = fork(program, { execArgv: ['--disable-warning=ExperimentalWarning'] });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const url = `esdb://127.0.0.1:${port}?tls=false`;
  const client = EventStoreDBClient.connectionString(url);
  return {
    url,
    client,
    pid: child.pid ?? 0,
    stop: async () => {
      await client.dispose();
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
};

/** The event node, on a fresh directory unless one is given. */
export const startNodeContender = async (dataDir?: string): Promise<Contender> => {
  const directory = dataDir ?? (await mkdtemp(join(tmpdir(), 'event-node-bench-')));
  const node = await startEventNode({ dataDir: directory, args: ['--log-level', 'warn'] });
  const client = EventStoreDBClient.connectionString(node.url);
  return {
    url: node.url,
    client,
    pid: node.pid,
    stop: async () => {
      await client.dispose();
      await node.stop();
      if (dataDir === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
};

/** Resident memory of a process in bytes. */
export const memoryOf = async (pid: number): Promise<number> => {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=', '-p', String(pid)]);
  return Number(stdout) * 1024;
};

/** The middle of some numbers. */
export const median = (values: readonly number[]): number =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

/** A number for a table: no digits behind the point when large. */
export const shown = (value: number): string => (value >= 100 ? String(Math.round(value)) : value.toFixed(2));

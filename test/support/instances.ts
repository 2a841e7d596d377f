import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { postgresOf } from '../../infra/embedded/postgres/processes.ts';
import { freePort } from './free-port.ts';
import { startServer, temporaryDataDir, type RunningServer } from './running-server.ts';

/** Servers over the same stores. The first one runs the stores; each keeps its address when it is started again. */
export type Instances = Readonly<{
  urls: readonly string[];
  /** The data directory of the stores. */
  dataDir: string;
  server: (n: number) => RunningServer;
  /** Starts one that has ended. */
  start: (n: number) => Promise<void>;
  /** Ends the first one and its stores as a power cut does. */
  cutPower: () => Promise<void>;
  /** Ends all of them, the one with the stores last. */
  stop: () => Promise<void>;
}>;

type Env = Readonly<Record<string, string>>;

/** Ports that the parts keep, so that instances that joined find them again. */
const PARTS = ['EVENT_NODE_PORT', 'ISSUER_PORT', 'SANDBOX_PORT', 'PAYMENTS_PORT'];

const eventNodesOf = (dataDir: string): readonly number[] =>
  execFileSync('ps', ['-A', '-ww', '-o', 'pid=,args='], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes('event-node') && line.includes(`${join(dataDir, 'events')} `))
    .map((line) => Number.parseInt(line, 10));

/** Starts `count` instances. */
export const startInstances = async (count: number, env: Env): Promise<Instances> => {
  const dirs = Array.from({ length: count }, temporaryDataDir);
  const dataDir = dirs[0]?.path ?? '';
  const ports = await Promise.all([...dirs, ...PARTS].map(freePort));
  const parts = Object.fromEntries(PARTS.map((name, n) => [name, String(ports[count + n])]));
  const running: RunningServer[] = [];

  const start = async (n: number): Promise<void> => {
    const role = n === 0 ? parts : { JOIN: dataDir };
    running[n] = await startServer(dirs[n]?.path ?? '', { ...env, ...role, PORT: String(ports[n]) });
  };
  const server = (n: number): RunningServer => {
    const found = running[n];
    if (found === undefined) throw new Error(`instance ${n} was never started`);
    return found;
  };

  await start(0);
  await Promise.all(dirs.slice(1).map((_dir, n) => start(n + 1)));
  return {
    urls: running.map(({ url }) => url),
    dataDir,
    server,
    start,
    cutPower: async () => {
      const stores = [
        ...eventNodesOf(dataDir),
        ...postgresOf(join(dataDir, 'postgres', 'cluster')).postmasters.map(({ pid }) => pid),
      ];
      if (stores.length !== 2) throw new Error(`an event node and a Postgres should run, not ${stores.length}`);
      for (const pid of stores) process.kill(pid, 'SIGKILL');
      await server(0).kill();
    },
    stop: async () => {
      for (const one of running.toReversed()) {
        // One that has died is not there to be stopped.
        if (one.isRunning()) await one.stop();
      }
      for (const dir of dirs) dir.remove();
    },
  };
};

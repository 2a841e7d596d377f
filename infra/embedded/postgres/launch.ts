import { join } from 'node:path';
import { ensureCluster, SUPERUSER } from './cluster.ts';
import { FALLBACK_ROOT, prepareHome, setAside, type Home } from './home.ts';
import { keepServer, type Exit, type KeptServer } from './kept-server.ts';
import { silent, type Log } from './log.ts';
import { prepareNative } from './native.ts';
import { passStalePid, stopOrphans, stopPostmaster } from './orphans.ts';
import { connectionString, ensureDatabase, untilAnswering, type Address } from './ready.ts';
import { openServerLog, type ServerLog } from './server-log.ts';
import { serverArguments } from './settings.ts';
import { PORT, prepareSocket, type SocketPlace } from './socket.ts';

/** How to start. Only `dataDir` is needed; the rest is for tests and odd machines. */
export type PostgresOptions = Readonly<{
  /** The server's own folder; nothing else may live in it. */
  dataDir: string;
  logger?: Log;
  /** false gives up safety against power loss for speed, for tests. */
  durable?: boolean;
  /** Where folders go that cannot be where they were wanted; every user must be able to enter it. */
  fallbackRoot?: string;
  /** The package folder with the programs, when not the installed one. */
  nativeDir?: string;
}>;

/** A running embedded server. `exited` resolves, never rejects, when it is gone; `stop` may be called at any time. */
export type EmbeddedPostgres = Readonly<{
  url: string;
  config: Address;
  pid: number;
  keeperPid: number | undefined;
  /** The folder really used, which is not `dataDir` when the database user cannot reach that. */
  home: string;
  exited: Promise<Exit>;
  stop: () => Promise<void>;
}>;

const DATABASE = 'plantocode';
/** Recovery after a crash replays the log first, so this is generous; a server that dies ends the wait at once. */
const READY_LIMIT = 120_000;

const serve = async (server: KeptServer, address: Address, log: ServerLog): Promise<number> => {
  const gone = new AbortController();
  void server.exited.then(() => gone.abort(new Error('Postgres ended while starting.')));
  try {
    const maintenance = { ...address, database: 'postgres' };
    await untilAnswering(maintenance, gone.signal, READY_LIMIT);
    await ensureDatabase(maintenance, DATABASE);
    const pid = await server.pid;
    if (pid === undefined) throw new Error('Postgres was not started.');
    return pid;
  } catch (cause) {
    await server.stop();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`Embedded Postgres did not start: ${reason}\n${log.path}:\n${log.tail(20)}`, { cause });
  }
};

const keep = (
  home: Home,
  socket: SocketPlace,
  command: string,
  env: Record<string, string>,
  durable: boolean,
  log: ServerLog,
) => {
  const { clusterDir, account } = home;
  const args = serverArguments({ clusterDir, socketDir: socket.directory, port: PORT, durable });
  const order = { command, args, env, account, pidFile: join(clusterDir, 'postmaster.pid') };
  return keepServer(order, log.fd, (pid) => stopPostmaster(pid, clusterDir));
};

/**
 * Starts a real Postgres in `dataDir`, making it at the first start, and recovers by itself from whatever an earlier
 * kill left behind. Resolves when a query has been answered and the database exists; rejects with the end of Postgres'
 * log. The server ends with this process, even when that is killed.
 */
export const startPostgres = async (options: PostgresOptions): Promise<EmbeddedPostgres> => {
  const { dataDir, logger = silent, durable = true, fallbackRoot = FALLBACK_ROOT, nativeDir } = options;
  const since = performance.now();
  const home = prepareHome(dataDir, fallbackRoot, logger);
  const native = prepareNative({ account: home.account, home: home.path, fallbackRoot, log: logger, nativeDir });
  await stopOrphans(home.clusterDir, logger);
  if (home.abandoned) setAside(home);
  const made = await ensureCluster(home, native, durable);
  const socket = prepareSocket(home, fallbackRoot);
  const log = openServerLog(home.path);
  const env = { ...native.env, ...passStalePid(home.clusterDir) };
  const server = keep(home, socket, native.postgres, env, durable, log);
  log.close();
  const config = { host: socket.directory, port: PORT, user: SUPERUSER, database: DATABASE };
  const pid = await serve(server, config, log);
  logger.info({ pid, made, ms: Math.round(performance.now() - since), home: home.path }, 'embedded Postgres is ready');
  const stop = async (): Promise<void> => {
    await server.stop();
    socket.release();
  };
  return {
    url: connectionString(config),
    config,
    pid,
    keeperPid: server.keeperPid,
    home: home.path,
    exited: server.exited,
    stop,
  };
};

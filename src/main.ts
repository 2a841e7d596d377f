import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { resolve } from 'node:path';

import { lockDataDir } from '../infra/embedded/data-dir/lock.ts';
import { removeRuntime, writeRuntime } from '../infra/embedded/data-dir/runtime-file.ts';
import { jsonLogger } from '../infra/telemetry/logger.ts';
import { SecretMismatchError } from '../infra/vault/fingerprints.ts';
import { startApp } from './app/app.ts';
import { firstSteps } from './app/first-steps.ts';
import { joinParts } from './app/joined-parts.ts';
import { startParts } from './app/parts.ts';
import { ConfigError, parseConfig, type Config } from './config.ts';

/** After this a stop that hangs is cut short. */
const FORCE_QUIT_MS = 60_000;
/** One Ctrl-C reaches us from the terminal and from the launcher. */
const SAME_SIGNAL_MS = 500;

const quit = (code: number, message: string): never => {
  console.error(message);
  process.exit(code);
};

const readConfig = (): Config => {
  try {
    return parseConfig(process.env);
  } catch (error) {
    if (error instanceof ConfigError) return quit(2, error.message);
    throw error;
  }
};

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : 'unknown');
const unusable = (host: string, port: number, code: string): string =>
  `Port ${port} on ${host} cannot be used (${code}). Stop the other program or set PORT.`;

/** The port to listen on, found or proven free before anything is started. */
const listenablePort = async ({ HOST, PORT }: Config): Promise<number> => {
  const probe = createServer().listen(PORT, HOST);
  try {
    await once(probe, 'listening');
  } catch (error) {
    return quit(2, unusable(HOST, PORT, codeOf(error)));
  }
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
};

const config = readConfig();
const logger = jsonLogger(config.LOG_LEVEL);
// Two servers of one directory mostly want the same port too; the directory is the better reason to give.
if (config.JOIN === undefined) {
  try {
    lockDataDir(resolve(config.DATA_DIR))();
  } catch (error) {
    quit(2, error instanceof Error ? error.message : String(error));
  }
}
const port = config.roles.includes('web') ? await listenablePort(config) : config.PORT;
const publicUrl = config.PUBLIC_URL ?? `http://${config.HOST}:${port}`;

// The event store's client rejects promises that it hands to nobody when a connection breaks; the append itself is
// answered, and repeated, through its own promise.
process.on('unhandledRejection', (error) => logger.error({ err: error }, 'a rejection that nobody handled'));

const starting = config.JOIN === undefined ? startParts(config, publicUrl, logger) : joinParts(config, config.JOIN);
const parts = await starting.catch((error: unknown) =>
  // A part that does not start says in its message why, and what to do.
  quit(2, error instanceof Error ? error.message : String(error)),
);

const app = await startApp({ config, parts, publicUrl, port, env: process.env, clock: () => new Date(), logger }).catch(
  async (error: unknown) => {
    await parts.stop();
    if (error instanceof SecretMismatchError) return quit(2, error.message);
    if (codeOf(error) === 'EADDRINUSE') return quit(2, unusable(config.HOST, port, 'EADDRINUSE'));
    throw error;
  },
);
// A server that joined another leaves that one's note alone.
if (config.JOIN === undefined) {
  writeRuntime(parts.dataDir, {
    pid: process.pid,
    url: app.url ?? publicUrl,
    eventStoreUrl: parts.eventStoreUrl,
    databaseUrl: parts.databaseUrl,
    ...(parts.issuerUrl === undefined ? {} : { issuerUrl: parts.issuerUrl }),
    ...(parts.sandboxUrl === undefined ? {} : { sandboxUrl: parts.sandboxUrl }),
    ...(parts.paymentsUrl === undefined ? {} : { paymentsUrl: parts.paymentsUrl }),
  });
}
console.log(firstSteps(config, parts, app.url));

let stoppingSince: number | undefined;
const stop = (why: string, code: number): void => {
  if (stoppingSince !== undefined) {
    if (performance.now() - stoppingSince > SAME_SIGNAL_MS) process.exit(1);
    return;
  }
  stoppingSince = performance.now();
  logger.info({ why }, 'stopping');
  setTimeout(() => process.exit(1), FORCE_QUIT_MS).unref();
  void app
    .stop()
    .catch((error: unknown) => logger.error({ err: error }, 'the stop was not clean'))
    .then(() => parts.stop())
    .then(() => {
      if (config.JOIN === undefined) removeRuntime(parts.dataDir);
      process.exit(code);
    });
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop(signal, 0));
// Whoever launched us was killed: nobody else would ever stop us.
process.on('disconnect', () => stop('the launcher is gone', 0));
void parts.lost.then((name) => {
  // Parts that we stop ourselves end too.
  if (stoppingSince !== undefined) return;
  logger.error({ part: name }, 'a part ended without being asked; the next start recovers');
  stop(`the ${name} ended`, 1);
});

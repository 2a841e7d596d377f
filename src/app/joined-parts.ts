import { resolve } from 'node:path';
import { readRuntime } from '../../infra/embedded/data-dir/runtime-file.ts';
import type { Config } from '../config.ts';
import { secretsOf, type Parts } from './parts.ts';

/** No server runs on the data directory that was to be joined. */
class NothingToJoinError extends Error {
  constructor(dataDir: string) {
    super(`No running server has noted its parts in ${dataDir}. Start one there first, or leave JOIN out.`);
    this.name = 'NothingToJoinError';
  }
}

/** The parts of a server that runs on this machine, for a further instance beside it. Nothing is started or stopped. */
export const joinParts = (config: Config, directory: string): Promise<Parts> => {
  const dataDir = resolve(directory);
  const runtime = readRuntime(dataDir);
  if (runtime === undefined) return Promise.reject(new NothingToJoinError(dataDir));
  return Promise.resolve({
    dataDir,
    secrets: secretsOf(config, dataDir),
    eventStoreUrl: config.EVENTSTORE_URL ?? runtime.eventStoreUrl,
    databaseUrl: config.DATABASE_URL ?? runtime.databaseUrl,
    issuerUrl: config.AUTH0_DOMAIN === undefined ? runtime.issuerUrl : undefined,
    sandboxUrl: runtime.sandboxUrl,
    paymentsUrl: config.STRIPE_SECRET_KEY === undefined ? runtime.paymentsUrl : undefined,
    lost: new Promise<never>(() => undefined),
    stop: () => Promise.resolve(),
  });
};

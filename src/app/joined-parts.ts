import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { readRuntime, type Runtime } from '../../infra/embedded/data-dir/runtime-file.ts';
import type { Config } from '../config.ts';
import { secretsOf, type Parts } from './parts.ts';

/** No server runs on the data directory that was to be joined. */
class NothingToJoinError extends Error {
  constructor(dataDir: string) {
    super(`No running server has noted its parts in ${dataDir}. Start one there first, or leave JOIN out.`);
    this.name = 'NothingToJoinError';
  }
}

const LOOK_EVERY_MS = 2_000;

const placesOf = (config: Config, runtime: Runtime) => ({
  eventStoreUrl: config.EVENTSTORE_URL ?? runtime.eventStoreUrl,
  databaseUrl: config.DATABASE_URL ?? runtime.databaseUrl,
  issuerUrl: config.AUTH0_DOMAIN === undefined ? runtime.issuerUrl : undefined,
  sandboxUrl: runtime.sandboxUrl,
  paymentsUrl: config.STRIPE_SECRET_KEY === undefined ? runtime.paymentsUrl : undefined,
});

/** The note, as far as it can be read: it may just be written anew, or be gone while its server starts again. */
const noted = (dataDir: string): Runtime | undefined => {
  try {
    return readRuntime(dataDir);
  } catch {
    return undefined;
  }
};

/**
 * The parts of a server that runs on this machine, for a further instance beside it. Nothing is started or stopped. They
 * count as lost once that server notes other addresses for them: whoever starts this instance again finds them there.
 */
export const joinParts = (config: Config, directory: string, lookEveryMs = LOOK_EVERY_MS): Promise<Parts> => {
  const dataDir = resolve(directory);
  const runtime = readRuntime(dataDir);
  if (runtime === undefined) return Promise.reject(new NothingToJoinError(dataDir));
  const places = placesOf(config, runtime);
  const moved = Promise.withResolvers<string>();
  const looking = setInterval(() => {
    const now = noted(dataDir);
    if (now === undefined || isDeepStrictEqual(placesOf(config, now), places)) return;
    clearInterval(looking);
    moved.resolve('joined server at its old addresses');
  }, lookEveryMs);
  looking.unref();
  return Promise.resolve({
    dataDir,
    secrets: secretsOf(config, dataDir),
    ...places,
    lost: moved.promise,
    stop: () => {
      clearInterval(looking);
      return Promise.resolve();
    },
  });
};

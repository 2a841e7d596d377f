import { chmodSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { startEventNode } from '../../infra/embedded/event-node/launch.ts';
import { lockDataDir } from '../../infra/embedded/data-dir/lock.ts';
import { ownSecrets, type Secrets } from '../../infra/embedded/data-dir/secrets.ts';
import { startIssuer } from '../../infra/embedded/issuer/issuer.ts';
import { startPostgres } from '../../infra/embedded/postgres/launch.ts';
import { startSandbox } from '../../infra/embedded/sandbox/sandbox.ts';
import { startStripeDouble } from '../../infra/embedded/stripe-double/double.ts';
import type { Config } from '../config.ts';
import type { Logger } from '../kernel/logger.ts';
import { localPaymentKeys } from './local-payments.ts';

/** The local sign-in page's client: its only one, so these are names and no secrets. */
export const LOCAL_CLIENT_ID = 'plantocode-local';
export const LOCAL_AUDIENCE = 'https://api.plantocode.local';
export const LOCAL_ROLE_CLAIM = 'https://plantocode.local/role';

/** A program or server that runs beside this process because nothing else was configured in its place. */
type Part = Readonly<{ name: string; stop: () => Promise<void>; exited?: Promise<unknown> }>;

/** Where the parts are, configured or run here. */
export type Parts = Readonly<{
  dataDir: string;
  secrets: Secrets;
  eventStoreUrl: string;
  databaseUrl: string;
  /** The local sign-in page; undefined when Auth0 is configured. */
  issuerUrl: string | undefined;
  /** The local model; undefined when the event store is not local, so that nothing invents answers in production. */
  sandboxUrl: string | undefined;
  /** The local payment pages; undefined when Stripe is configured or the event store is not local. */
  paymentsUrl: string | undefined;
  /** Resolves with the name of a part that ended without being asked. */
  lost: Promise<string>;
  /** Stops what was started here, in reverse order. */
  stop: () => Promise<void>;
}>;

/** Parts that start on their own, at the same time; when one fails, those that started are stopped again. */
const startAll = async <T extends Part | undefined>(starting: readonly Promise<T>[]): Promise<readonly T[]> => {
  const results = await Promise.allSettled(starting);
  const failed = results.find((result) => result.status === 'rejected');
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  if (failed === undefined) return started;
  await Promise.allSettled(started.flatMap((part) => (part === undefined ? [] : [part.stop()])));
  throw failed.reason;
};

/** Secrets as configured, else this data directory's own. */
export const secretsOf = (config: Config, dataDir: string): Secrets => {
  const { JWT_SECRET, IDENTITY_HASH_KEY, VAULT_MASTER_KEY } = config;
  if (JWT_SECRET !== undefined && IDENTITY_HASH_KEY !== undefined && VAULT_MASTER_KEY !== undefined) {
    return { jwtSecret: JWT_SECRET, identityHashKey: IDENTITY_HASH_KEY, vaultMasterKey: VAULT_MASTER_KEY };
  }
  const own = ownSecrets(dataDir);
  return {
    jwtSecret: JWT_SECRET ?? own.jwtSecret,
    identityHashKey: IDENTITY_HASH_KEY ?? own.identityHashKey,
    vaultMasterKey: VAULT_MASTER_KEY ?? own.vaultMasterKey,
  };
};

/**
 * Starts the parts that no variable names. Throws DataDirInUseError when another server runs on the data directory, and
 * the part's own error when one does not start.
 */
export const startParts = async (config: Config, publicUrl: string, logger: Logger): Promise<Parts> => {
  const dataDir = resolve(config.DATA_DIR);
  const unlock = lockDataDir(dataDir);
  // The database runs as another user when we are root: it must be able to pass through, not to read.
  chmodSync(dataDir, 0o711);
  const local = config.EVENTSTORE_URL === undefined;

  const node = async () => {
    if (!local) return undefined;
    const started = await startEventNode({ dataDir: join(dataDir, 'events'), port: config.EVENT_NODE_PORT, logger });
    return { ...started, name: 'event node' };
  };
  const postgres = async () => {
    if (config.DATABASE_URL !== undefined) return undefined;
    return { ...(await startPostgres({ dataDir: join(dataDir, 'postgres'), logger })), name: 'Postgres' };
  };
  const issuer = async () => {
    if (config.AUTH0_DOMAIN !== undefined) return undefined;
    const started = await startIssuer({
      port: config.ISSUER_PORT,
      dataDir: join(dataDir, 'issuer'),
      audience: LOCAL_AUDIENCE,
      clientId: LOCAL_CLIENT_ID,
      roleClaim: LOCAL_ROLE_CLAIM,
      redirectUris: [`${publicUrl}/auth/auth0/callback`],
      logger,
    });
    return { ...started, name: 'sign-in page' };
  };
  const sandbox = async () => {
    if (!local) return undefined;
    return { ...(await startSandbox({ port: config.SANDBOX_PORT })), name: 'sandbox model' };
  };

  const payments = async () => {
    if (!local || config.production || config.STRIPE_SECRET_KEY !== undefined) return undefined;
    const { secretKey, webhookSecret } = localPaymentKeys(secretsOf(config, dataDir));
    const started = await startStripeDouble({
      port: config.PAYMENTS_PORT,
      dataDir: join(dataDir, 'payments'),
      webhookUrl: `${publicUrl}/webhooks/stripe`,
      ...{ secretKey, webhookSecret },
    });
    return { ...started, name: 'payment pages' };
  };

  try {
    const starting = [node(), postgres(), issuer(), sandbox(), payments()] as const;
    const parts = await startAll<Part | undefined>(starting);
    const [eventNode, database, signIn, model, shop] = await Promise.all(starting);
    const running = parts.filter((part) => part !== undefined);
    const lost = Promise.race(
      running.flatMap(({ name, exited }) => (exited === undefined ? [] : [exited.then(() => name)])),
    );
    return {
      dataDir,
      secrets: secretsOf(config, dataDir),
      eventStoreUrl: config.EVENTSTORE_URL ?? eventNode?.url ?? '',
      databaseUrl: config.DATABASE_URL ?? database?.url ?? '',
      issuerUrl: signIn?.url,
      sandboxUrl: model?.url,
      paymentsUrl: shop?.url,
      lost,
      stop: async () => {
        await Promise.allSettled(running.toReversed().map(({ stop }) => stop()));
        unlock();
      },
    };
  } catch (error) {
    unlock();
    throw error;
  }
};

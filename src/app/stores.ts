import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { memoryEphemeral } from '../../infra/ephemeral/memory-ephemeral.ts';
import { redisEphemeral } from '../../infra/ephemeral/redis-ephemeral.ts';
import { memoryPacer } from '../../infra/ephemeral/memory-pacer.ts';
import { redisPacer } from '../../infra/ephemeral/redis-pacer.ts';
import { memoryLimiter } from '../../infra/ephemeral/memory-limiter.ts';
import { redisLimiter } from '../../infra/ephemeral/redis-limiter.ts';
import { connectEventStore } from '../../infra/eventstore/event-store.ts';
import { withSharedTail } from '../../infra/eventstore/shared-tail.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { databasePools, type DatabasePools } from '../../infra/postgres/pools.ts';
import { connectRedis } from '../../infra/redis/client.ts';
import { memoryRelay } from '../../infra/relay/memory-relay.ts';
import { redisRelay } from '../../infra/relay/redis-relay.ts';
import { checkFingerprints } from '../../infra/vault/fingerprints.ts';
import { migrateVault, postgresVault } from '../../infra/vault/postgres-vault.ts';
import { sqliteVault } from '../../infra/vault/sqlite-vault.ts';
import type { Config } from '../config.ts';
import type { EphemeralStore } from '../kernel/ephemeral.ts';
import type { EventStore } from '../kernel/event-store.ts';
import type { Limiter } from '../kernel/limiter.ts';
import type { Logger } from '../kernel/logger.ts';
import type { Pacer } from '../kernel/pacer.ts';
import type { Relay } from '../kernel/relay.ts';
import type { SubjectVault } from '../kernel/vault.ts';
import type { Parts } from './parts.ts';

/** The connections of this process. */
export type Stores = Readonly<{
  eventStore: EventStore;
  pools: DatabasePools;
  vault: SubjectVault;
  ephemeral: EphemeralStore;
  limiter: Limiter;
  pacer: Pacer;
  /** What the instances share about connected devices. */
  relay: Relay;
  close: () => Promise<void>;
}>;

/**
 * The keys of subjects stand outside the log and outside the read models, so that dropping either loses none. With a
 * database of one's own they are a schema of it that is backed up apart; else a file beside the other local data.
 */
export const openVault = async (
  config: Config,
  parts: Pick<Parts, 'dataDir' | 'secrets'>,
  pools: Pick<DatabasePools, 'owner'>,
): Promise<SubjectVault> => {
  const masterKey = parts.secrets.vaultMasterKey;
  if (config.DATABASE_URL !== undefined) {
    await migrateVault(pools.owner);
    return postgresVault({ masterKey, pool: pools.owner });
  }
  const directory = join(parts.dataDir, 'vault');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return sqliteVault({ masterKey, path: join(directory, 'subject-keys.sqlite') });
};

/** Connects to everything. Rejects when the database cannot be brought up to this build. */
export const connectStores = async (config: Config, parts: Parts, logger: Logger): Promise<Stores> => {
  const eventStore = withSharedTail(connectEventStore(parts.eventStoreUrl));
  const pools = databasePools({ url: parts.databaseUrl, logger });
  await migrate(pools, logger);
  const { identityHashKey, vaultMasterKey } = parts.secrets;
  await checkFingerprints(pools.owner, { IDENTITY_HASH_KEY: identityHashKey, VAULT_MASTER_KEY: vaultMasterKey });
  const vault = await openVault(config, parts, pools);
  const redis = config.REDIS_URL === undefined ? undefined : connectRedis({ url: config.REDIS_URL, logger });
  const ephemeral = redis === undefined ? memoryEphemeral() : redisEphemeral(redis);
  const instance = randomUUID();
  const relay =
    redis === undefined ? memoryRelay({ logger }).attach(instance) : redisRelay({ redis, instance, logger });
  return {
    eventStore,
    pools,
    vault,
    ephemeral,
    limiter: redis === undefined ? memoryLimiter() : redisLimiter(redis),
    pacer: redis === undefined ? memoryPacer() : redisPacer(redis),
    relay,
    close: async () => {
      await relay.close();
      await ephemeral.close();
      await vault.close();
      await pools.close();
      await eventStore.close();
    },
  };
};

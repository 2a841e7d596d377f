import pg from 'pg';
import type { Logger } from '../../src/kernel/logger.ts';
import { typeParsers } from './values.ts';

/** The roles that migrations make; `owner` is whoever logs in. */
type DatabaseRole = 'owner' | 'projector' | 'app_user' | 'app_system';

export type DatabaseOptions = Readonly<{
  /** `postgresql://…`; its login owns the schemas and may adopt the other roles. */
  url: string;
  /** Another login for a role, so that not even its session can go back to the owner. */
  urls?: Readonly<Partial<Record<Exclude<DatabaseRole, 'owner'>, string>>>;
  logger: Logger;
  /** Shown in pg_stat_activity, followed by the role. */
  applicationName?: string;
  /** The most connections of each pool. */
  sizes?: Readonly<Partial<Record<DatabaseRole, number>>>;
}>;

/** The connections of this process, by role. A pool connects when first asked, so a database may come later. */
export type DatabasePools = Readonly<{
  owner: pg.Pool;
  projector: pg.Pool;
  appUser: pg.Pool;
  appSystem: pg.Pool;
  /** A connection of its own, not connected yet, as the projector: for locks and notifications. */
  dedicated: () => pg.Client;
  close: () => Promise<void>;
}>;

/** A client that has vanished without a word loses its connection, and with it its locks, in about 20 seconds. */
const VIGILANT = { tcp_keepalives_idle: 10, tcp_keepalives_interval: 3, tcp_keepalives_count: 3 };

/** Longer than the server gives any statement, in milliseconds. */
const ANSWER_MS = 130_000;

/** Milliseconds, as the server enforces them. */
const settings: Readonly<Record<DatabaseRole, Readonly<Record<string, string | number>>>> = {
  owner: { statement_timeout: 120_000, lock_timeout: 30_000 },
  // What it writes can be read from the log again, in whole transactions: no need to wait for the disk.
  projector: {
    statement_timeout: 120_000,
    lock_timeout: 20_000,
    // Who has gone without a word must not keep the next owner from the row that it holds.
    idle_in_transaction_session_timeout: 30_000,
    synchronous_commit: 'off',
    ...VIGILANT,
  },
  app_user: { statement_timeout: 8000, lock_timeout: 2000, idle_in_transaction_session_timeout: 10_000 },
  app_system: { statement_timeout: 30_000, lock_timeout: 5000, idle_in_transaction_session_timeout: 30_000 },
};

const sizes: Readonly<Record<DatabaseRole, number>> = { owner: 2, projector: 4, app_user: 16, app_system: 6 };

const optionsOf = (role: DatabaseRole): string =>
  Object.entries({
    ...(role === 'owner' ? {} : { role }),
    TimeZone: 'UTC',
    DateStyle: 'ISO',
    ...settings[role],
  })
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');

/** The address without what would override our own settings: the role above all. */
const addressOf = (url: string): Readonly<{ connectionString: string; options: string }> => {
  if (!URL.canParse(url)) throw new Error('DATABASE_URL is not a URL of the form postgresql://user:password@host/name');
  const address = new URL(url);
  const options = address.searchParams.get('options') ?? '';
  address.searchParams.delete('options');
  address.searchParams.delete('application_name');
  return { connectionString: address.href, options };
};

/** Makes the pools. Nothing is connected yet; roles other than the owner can connect once `migrate` has run. */
export const databasePools = (options: DatabaseOptions): DatabasePools => {
  const { logger, applicationName = 'plantocode' } = options;

  const configOf = (role: DatabaseRole): pg.ClientConfig => {
    const address = addressOf((role === 'owner' ? undefined : options.urls?.[role]) ?? options.url);
    return {
      connectionString: address.connectionString,
      options: `${address.options} ${optionsOf(role)}`.trim(),
      application_name: `${applicationName} ${role}`,
      connectionTimeoutMillis: 5000,
      keepAlive: true,
      // For a server that has vanished without a word; a living one ends what takes too long by itself, and sooner.
      query_timeout: ANSWER_MS,
      types: typeParsers,
    };
  };

  const pool = (role: DatabaseRole): pg.Pool => {
    const made = new pg.Pool({
      ...configOf(role),
      // A transaction's statements are sent together and answered together.
      pipeline: true,
      max: options.sizes?.[role] ?? sizes[role],
      idleTimeoutMillis: 60_000,
      maxLifetimeSeconds: 1800,
    });
    // A connection in use tells its loss to the statement that waits; unheard, the event would end the process as well.
    made.on('connect', (client) => client.on('error', () => undefined));
    made.on('error', (error) => logger.warn({ err: error, role }, 'a database connection was lost while idle'));
    return made;
  };

  const pools = {
    owner: pool('owner'),
    projector: pool('projector'),
    appUser: pool('app_user'),
    appSystem: pool('app_system'),
  };
  return {
    ...pools,
    dedicated: () => new pg.Client(configOf('projector')),
    close: async () => {
      await Promise.all(Object.values(pools).map((each) => each.end()));
    },
  };
};

import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';

/** Where a server is reached: `host` is the directory of its Unix socket. */
export type Address = Readonly<{ host: string; port: number; user: string; database: string }>;

/** Not there yet, there but not listening, or recovering: the answers of a server that is coming up. */
const COMING = new Set(['ENOENT', 'ECONNREFUSED', 'ECONNRESET', '57P03']);
const isComing = (error: unknown): boolean => COMING.has((error as { code?: string }).code ?? '');

const ask = async <T>(address: Address, question: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ ...address, connectionTimeoutMillis: 10_000 });
  // A server that dies while connected is told by the query's own rejection.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await question(client);
  } finally {
    await client.end().catch(() => undefined);
  }
};

/** Waits until the server answers a query. Throws when `gone` aborts or the limit (milliseconds) passes. */
export const untilAnswering = async (address: Address, gone: AbortSignal, limit: number): Promise<void> => {
  const end = performance.now() + limit;
  for (;;) {
    gone.throwIfAborted();
    try {
      await ask(address, (client) => client.query('select 1'));
      return;
    } catch (error) {
      if (!isComing(error)) throw error;
      if (performance.now() > end) throw new Error(`Postgres does not answer after ${limit} ms.`, { cause: error });
    }
    await pause(15);
  }
};

/** Creates a database when there is none of that name. */
export const ensureDatabase = (address: Address, name: string): Promise<void> =>
  ask(address, async (client) => {
    const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
    if (rowCount === 0) await client.query(`create database ${pg.escapeIdentifier(name)}`);
  });

/** The same address as a connection string for node-postgres. */
export const connectionString = ({ host, port, user, database }: Address): string =>
  `postgresql://${user}@localhost/${database}?host=${encodeURIComponent(host)}&port=${port}`;

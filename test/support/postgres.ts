import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { startPostgres, type EmbeddedPostgres } from '../../infra/embedded/postgres/launch.ts';

/** A database of one spec file; `drop` ends its connections and removes it. */
export type TestDatabase = Readonly<{ url: string; config: EmbeddedPostgres['config']; drop: () => Promise<void> }>;

/** A temporary folder that the database user can enter too (plain mkdtemp closes it to all but its owner). */
export const temporaryFolder = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'plantocode-test-'));
  chmodSync(folder, 0o711);
  return folder;
};

const onServer = async (server: EmbeddedPostgres, statement: string): Promise<void> => {
  const client = new pg.Client({ ...server.config, database: 'postgres' });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
};

/** Creates an empty database with a name of its own, or a copy of `template` (which nobody may be connected to). */
export const createTestDatabase = async (
  server: EmbeddedPostgres,
  { template = 'template0' }: Readonly<{ template?: string }> = {},
): Promise<TestDatabase> => {
  const database = `test_${randomBytes(8).toString('hex')}`;
  await onServer(server, `create database ${database} template ${pg.escapeIdentifier(template)} strategy file_copy`);
  return {
    url: server.url.replace(`/${server.config.database}?`, `/${database}?`),
    config: { ...server.config, database },
    drop: () => onServer(server, `drop database if exists ${database} with (force)`),
  };
};

let shared: Promise<EmbeddedPostgres> | undefined;
let folder: string | undefined;

/** The one server of this test run, started when first asked for. It forgets on power loss, which no test waits for. */
export const sharedPostgres = (): Promise<EmbeddedPostgres> => {
  folder ??= temporaryFolder();
  return (shared ??= startPostgres({ dataDir: join(folder, 'postgres'), durable: false }));
};

/** A new database on the shared server. */
export const freshDatabase = async (options: Readonly<{ template?: string }> = {}): Promise<TestDatabase> =>
  createTestDatabase(await sharedPostgres(), options);

/** Ends the shared server and removes its files. */
const stopSharedPostgres = async (): Promise<void> => {
  const server = await shared?.catch(() => undefined);
  await server?.stop();
  for (const path of [server?.home, folder]) if (path !== undefined) rmSync(path, { recursive: true, force: true });
  shared = undefined;
  folder = undefined;
};

// Loaded by a spec file, this is a hook of the root suite: it runs after the last test of all.
after(stopSharedPostgres);

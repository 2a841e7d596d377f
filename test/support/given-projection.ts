import { expect } from 'chai';
import { setTimeout as delay } from 'node:timers/promises';
import { migrate } from '../../infra/postgres/migrate.ts';
import { databasePools, type DatabasePools } from '../../infra/postgres/pools.ts';
import { projector, type Projector } from '../../infra/postgres/projector.ts';
import { tableName } from '../../infra/postgres/table-ddl.ts';
import type { Position } from '../../src/kernel/event-store.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { Actor, EventMetadata } from '../../src/kernel/message.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { READ_SCHEMA } from '../../src/kernel/query.ts';
import type { Table } from '../../src/kernel/table.ts';
import { isSealed } from '../../src/kernel/vault.ts';
import { memoryEventStore } from './memory-event-store.ts';
import { freshDatabase } from './postgres.ts';

/** An event to be projected; what is not said is filled in. `opened` is the plaintext of its sealed members. */
export type GivenEvent = Readonly<{
  stream: string;
  type: string;
  data: unknown;
  id?: string;
  opened?: Readonly<Record<string, unknown>>;
  at?: string;
  actor?: Actor;
  metadata?: Partial<EventMetadata>;
}>;

type Rows = readonly Readonly<Record<string, unknown>>[];

export type GivenProjection = Readonly<{
  /** Adds events to the history. */
  events: (...events: readonly GivenEvent[]) => GivenProjection;
  /**
   * Projects the history through the real projector into a real database, three times from the start: in one batch,
   * event by event, and in twos; all must agree. The rows are ordered by key and hold the columns as queries see them.
   */
  thenRows: (table: Table, expected: Rows) => Promise<void>;
  /** The rows themselves, for assertions of another kind. */
  rows: (table: Table) => Promise<Rows>;
}>;

const metadataOf = ({ at = '2026-11-02T09:00:01.250Z', actor, metadata }: GivenEvent): EventMetadata => ({
  $correlationId: 'correlation',
  $causationId: 'causation',
  schemaVersion: 1,
  occurredAt: at,
  idempotencyKey: 'key',
  actor: actor ?? { kind: 'system', id: 'system' },
  prevHash: '',
  hash: 'hash',
  ...metadata,
});

/** Sealed members open to what the history says, in whatever way they are sealed. */
const openerOf = (history: readonly GivenEvent[]) => {
  const plain = new Map<string, unknown>();
  for (const { data, opened } of history)
    for (const [name, value] of Object.entries(data as Readonly<Record<string, unknown>>))
      if (isSealed(value)) plain.set(JSON.stringify(value), opened?.[name] ?? null);
  return {
    open: (_context: string, sealed: unknown) => Promise.resolve(plain.get(JSON.stringify(sealed)) ?? null),
  };
};

const read = async (pools: DatabasePools, table: Table): Promise<Rows> => {
  const order = table.key.map((column) => `"${column}"`).join(', ');
  const { rows } = await pools.projector.query(`select * from ${tableName(READ_SCHEMA, table.name)} order by ${order}`);
  return rows as Rows;
};

/** One database for all histories of a test run: they come one after the other, and each starts from nothing. */
let shared: Promise<DatabasePools> | undefined;

const emptyDatabase = async (): Promise<DatabasePools> => {
  shared ??= freshDatabase().then(async ({ url }) => {
    const pools = databasePools({ url, logger: silentLogger });
    await migrate(pools, silentLogger);
    return pools;
  });
  const pools = await shared;
  await pools.owner.query('drop schema if exists rm cascade; truncate projector.state, projector.parked');
  return pools;
};

after(async () => {
  await (await shared)?.close();
});

const settled = async (it: Projector, last: Position | undefined): Promise<void> => {
  const end = performance.now() + 20_000;
  for (;;) {
    if (last !== undefined && (await it.waitFor(last, { timeoutMs: 100 }))) return;
    const [status] = it.status();
    if (last === undefined && status?.state === 'live') return;
    const failure = status?.failure ?? undefined;
    if (failure !== undefined) throw new Error(`the projection has stopped: ${failure.cause}`);
    if (performance.now() > end) throw new Error('the projection does not come to the end of the log');
    await delay(5);
  }
};

const run = async (
  projection: Projection,
  history: readonly GivenEvent[],
  table: Table,
  max: number,
): Promise<Rows> => {
  const pools = await emptyDatabase();
  let now = new Date(0);
  const store = memoryEventStore(() => now);
  let last: Position | undefined;
  for (const [index, event] of history.entries()) {
    now = new Date(metadataOf(event).occurredAt);
    const { stream, type, data, id = uuidOf(`given event ${index}`) } = event;
    ({ position: last } = await store.append(stream, 'any', [{ id, type, data, metadata: metadataOf(event) }]));
  }
  const it = projector({
    projections: [projection],
    store,
    pools,
    vault: openerOf(history),
    logger: silentLogger,
    clock: () => new Date(),
    instance: 'given',
    limits: { max, linger: 0 },
  });
  it.start();
  try {
    await settled(it, last);
  } finally {
    await it.stop();
  }
  return read(pools, table);
};

const rowsOf = async (projection: Projection, history: readonly GivenEvent[], table: Table): Promise<Rows> => {
  const rows = await run(projection, history, table, 1000);
  for (const max of [1, 2])
    expect(await run(projection, history, table, max), `batches of ${max} give the same rows`).to.deep.equal(rows);
  return rows;
};

/** A projection on a history: `givenProjection(balance).events(...).thenRows(balanceTable, [...])`. */
export const givenProjection = (projection: Projection, history: readonly GivenEvent[] = []): GivenProjection => ({
  events: (...events) => givenProjection(projection, [...history, ...events]),
  rows: (table) => rowsOf(projection, history, table),
  thenRows: async (table, expected) => {
    expect(await rowsOf(projection, history, table)).to.deep.equal(expected);
  },
});

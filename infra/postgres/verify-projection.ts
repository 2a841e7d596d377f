import { createHash } from 'node:crypto';
import type pg from 'pg';
import { isAfter, positionText, type EventStore, type Position } from '../../src/kernel/event-store.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { READ_SCHEMA } from '../../src/kernel/query.ts';
import type { Column, Row, Table, Value } from '../../src/kernel/table.ts';
import type { DatabasePools } from './pools.ts';
import { applyEvents, type Opener } from './project-events.ts';
import { readStates, type ProjectionState } from './projection-state.ts';
import { normalKey, normalText, replayedTable, type Defaults, type ReplayedTable } from './replayed-rows.ts';
import { isOutdated } from './retention.ts';
import { columnName, columnOf, definitionOf, tableName } from './table-ddl.ts';

/** A row that is not as the log says: its key, and which columns differ; never the values. */
type RowDifference = Readonly<{
  key: string;
  what: 'missing' | 'unexpected' | 'different';
  columns: readonly string[];
}>;

type TableVerification = Readonly<{
  table: string;
  rows: number;
  /** Equal for equal rows in any order, on any machine. */
  checksum: string;
  differing: number;
  /** The first of the differing rows. */
  differences: readonly RowDifference[];
}>;

/** `skipped` says why nothing was compared. */
export type Verification = Readonly<{
  name: string;
  position: string | null;
  events: number;
  tables: readonly TableVerification[];
  right: boolean;
  skipped: string | null;
}>;

export type VerifyDeps = Readonly<{
  store: Pick<EventStore, 'readAll'>;
  pools: Pick<DatabasePools, 'projector'>;
  vault: Opener;
}>;

const EVENTS = 2000;
const ROWS = 5000;
const SHOWN = 20;

const defaultsOf = async (client: pg.ClientBase, table: Table): Promise<Defaults> => {
  const columns: readonly (readonly [string, Column])[] = Object.entries(table.columns);
  const text = columns.map(
    ([name, { type, default: value }]) => `(${value ?? 'null'})::${type} as ${columnName(name)}`,
  );
  const { rows } = await client.query<Record<string, Value>>(`select ${text.join(', ')}`);
  return rows[0] ?? {};
};

/** Folds the log again up to `position`, without the projector's batches and statements. */
const replay = async (
  projection: Projection,
  { store, vault }: VerifyDeps,
  position: Position | undefined,
  tables: ReadonlyMap<Table, ReplayedTable>,
): Promise<number> => {
  const filter = { streamPrefixes: projection.streamPrefixes };
  let from: Position | undefined;
  let events = 0;
  while (position !== undefined) {
    const page = await store.readAll({ ...(from === undefined ? {} : { from }), maxCount: EVENTS, filter });
    const wanted = page.filter((event) => !isAfter(event.position, position));
    const { ops, failure } = await applyEvents(projection, vault, wanted);
    if (failure !== undefined) throw failure;
    for (const op of ops) tables.get(op.table)?.apply(op);
    events += wanted.length;
    from = page.at(-1)?.position;
    if (page.length < EVENTS || wanted.length < page.length) break;
  }
  return events;
};

/** Every row of a table, a page at a time, in the client's transaction. */
const rowsOf = async function* (client: pg.ClientBase, table: Table): AsyncGenerator<Row> {
  await client.query(`declare page no scroll cursor for select * from ${tableName(READ_SCHEMA, table.name)}`);
  for (;;) {
    const { rows } = await client.query<Row>(`fetch ${ROWS} from page`);
    yield* rows;
    if (rows.length < ROWS) break;
  }
  await client.query('close page');
};

const differingColumns = (table: Table, found: Row, expected: Row): readonly string[] =>
  Object.keys(table.columns).filter((name) => {
    const { type } = columnOf(table, name);
    return normalText(type, found[name] ?? null) !== normalText(type, expected[name] ?? null);
  });

const rowSum = (table: Table, row: Row): bigint => {
  const text = Object.keys(table.columns)
    .map((name) => `${name}=${normalText(columnOf(table, name).type, row[name] ?? null)}`)
    .join('\n');
  return createHash('sha256').update(text, 'utf8').digest().readBigUInt64BE();
};

const compare = async (client: pg.ClientBase, table: Table, { rows }: ReplayedTable): Promise<TableVerification> => {
  const differences: RowDifference[] = [];
  let differing = 0;
  let count = 0;
  let sum = 0n;
  const differ = (difference: RowDifference): void => {
    differing += 1;
    if (differences.length < SHOWN) differences.push(difference);
  };
  for await (const row of rowsOf(client, table)) {
    const key = normalKey(table, row);
    const expected = rows.get(key);
    rows.delete(key);
    count += 1;
    sum = BigInt.asUintN(64, sum + rowSum(table, row));
    const columns = expected === undefined ? [] : differingColumns(table, row, expected);
    if (expected === undefined) differ({ key, what: 'unexpected', columns });
    else if (columns.length > 0) differ({ key, what: 'different', columns });
  }
  for (const [key, row] of rows) if (!isOutdated(table, row, new Date())) differ({ key, what: 'missing', columns: [] });
  return { table: table.name, rows: count, checksum: sum.toString(16).padStart(16, '0'), differing, differences };
};

const skipped = ({ name }: Projection, why: string): Verification => ({
  name,
  position: null,
  events: 0,
  tables: [],
  right: false,
  skipped: why,
});

const stateIn = async (client: pg.ClientBase, { name }: Projection): Promise<ProjectionState | undefined> =>
  (await readStates(client)).find((state) => state.name === name);

const verifyIn = async (client: pg.ClientBase, projection: Projection, deps: VerifyDeps): Promise<Verification> => {
  const before = await stateIn(client, projection);
  if (before === undefined) return skipped(projection, 'it has never run on this database');
  if (before.definition !== definitionOf(projection))
    return skipped(projection, 'its tables belong to another release');
  await client.query('begin isolation level repeatable read read only');
  // It waits while the log is read, which may take its time; nobody waits for it.
  await client.query('set local idle_in_transaction_session_timeout = 0');
  // Before anything is read: tables that came later would be empty for a transaction that began before them.
  const names = projection.tables.map(({ name }) => tableName(READ_SCHEMA, name));
  if (names.length > 0) await client.query(`lock table ${names.join(', ')} in access share mode`);
  const state = await stateIn(client, projection);
  if (state?.definition !== before.definition) return skipped(projection, 'its tables were exchanged meanwhile');
  const tables = new Map<Table, ReplayedTable>();
  for (const table of projection.tables) tables.set(table, replayedTable(table, await defaultsOf(client, table)));
  const events = await replay(projection, deps, state.position, tables);
  const compared: TableVerification[] = [];
  for (const [table, replayed] of tables) compared.push(await compare(client, table, replayed));
  return {
    name: projection.name,
    position: state.position === undefined ? null : positionText(state.position),
    events,
    tables: compared,
    right: compared.every(({ differing }) => differing === 0),
    skipped: null,
  };
};

/**
 * Folds the log again, independently and up to where the projection stands, and compares every row of its tables. The
 * projection may go on meanwhile; tables that are to take the place of these wait. Holds the tables' expected rows in memory.
 */
export const verifyProjection = async (projection: Projection, deps: VerifyDeps): Promise<Verification> => {
  const client = await deps.pools.projector.connect();
  try {
    return await verifyIn(client, projection, deps);
  } finally {
    // Ending the connection ends its transaction and cursor.
    client.release(true);
  }
};

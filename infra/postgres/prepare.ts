import type pg from 'pg';
import type { Position } from '../../src/kernel/event-store.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { READ_SCHEMA } from '../../src/kernel/query.ts';
import { BUILD_LOCK, lockState, PROGRESS, progressText, type Place, type ProjectionState } from './projection-state.ts';
import { createSchema, createTable, definitionOf, dropTable, expectedShape, tableShapes } from './table-ddl.ts';

/** A newer build has made the tables: this one stands by, and takes over when a rebuild is asked for. */
export class SupersededError extends Error {
  constructor(name: string, version: number) {
    super(`${name} was built by a newer release (version ${version})`);
    this.name = 'SupersededError';
  }
}

const tablesAreWhole = async (client: pg.ClientBase, { tables }: Projection): Promise<boolean> => {
  const names = tables.map(({ name }) => name);
  const { rows } = await client.query<{ name: string; shape: string | null }>(tableShapes, [READ_SCHEMA, names]);
  const found = new Map(rows.map(({ name, shape }) => [name, shape]));
  return tables.every((table) => found.get(table.name) === expectedShape(table));
};

const needsBuilding = async (client: pg.ClientBase, projection: Projection, state: ProjectionState) => {
  if (state.requested > state.generation) return true;
  if (state.version > projection.version) throw new SupersededError(projection.name, state.version);
  if (state.definition !== definitionOf(projection)) return true;
  return !(await tablesAreWhole(client, projection));
};

const build = async (
  client: pg.ClientBase,
  projection: Projection,
  known: ProjectionState | undefined,
  owner: string,
  target: Position | undefined,
): Promise<Place> => {
  const { name, version, tables } = projection;
  const names = tables.map((table) => table.name);
  const statements = [
    ...createSchema(),
    ...[...new Set([...(known?.tables ?? []), ...names])].map((table) => dropTable(table)),
    ...tables.flatMap((table) => createTable(table)),
  ];
  // Projections that are built at the same time would race for the schema.
  await client.query('select pg_advisory_xact_lock($1, 0)', [BUILD_LOCK]);
  for (const statement of statements) await client.query(statement);
  // Generations come from the clock, so that they grow even when the record of the last one was dropped.
  const { rows } = await client.query<{ generation: bigint }>(
    `insert into projector.state as had (name, version, definition, tables, generation, requested, generation_since,
       target_position, events, status, owner, updated_at)
     select $1, $2, $3, $4, fresh, fresh, now(), $5, 0, 'catching_up', $6, now()
     from (select greatest((extract(epoch from clock_timestamp()) * 1000)::bigint, $7::bigint + 1) as fresh) as clock
     on conflict (name) do update set version = excluded.version, definition = excluded.definition,
       tables = excluded.tables, generation = excluded.generation, requested = excluded.generation,
       generation_since = now(), commit_position = null, prepare_position = null,
       target_position = excluded.target_position, events = 0, as_of = null, status = 'catching_up',
       owner = excluded.owner, updated_at = now()
     returning generation`,
    [name, version, definitionOf(projection), names, target?.commit ?? null, owner, known?.requested ?? 0n],
  );
  const place = { name, generation: rows[0]?.generation ?? 0n, position: undefined };
  await client.query('delete from projector.parked where name = $1', [name]);
  await client.query('select pg_notify($1, $2)', [PROGRESS, progressText(place)]);
  return place;
};

/** Where to go on from, and whether the tables were made just now. */
export type Prepared = Readonly<{ place: Place; built: boolean }>;

/**
 * Makes sure, in one transaction, that the tables of a projection are there as this build defines them and agree with
 * its state. What is missing, altered, of another version or asked to be rebuilt starts from the beginning of the log,
 * whose present end is `target`.
 */
export const prepare = async (
  pool: pg.Pool,
  projection: Projection,
  owner: string,
  target: Position | undefined,
): Promise<Prepared> => {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const state = await lockState(client, projection.name);
    const built = state === undefined || (await needsBuilding(client, projection, state));
    const place = built
      ? await build(client, projection, state, owner, target)
      : { name: state.name, generation: state.generation, position: state.position };
    await client.query('commit');
    client.release();
    return { place, built };
  } catch (error) {
    // Ending the connection ends the transaction, whatever state it is in.
    client.release(true);
    throw error;
  }
};

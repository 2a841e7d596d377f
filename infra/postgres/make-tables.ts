import type pg from 'pg';
import type { Position } from '../../src/kernel/event-store.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { schemaOf, stateName, type Slot } from './builds.ts';
import { PROGRESS, progressText, type Place } from './projection-place.ts';
import { BUILD_LOCK } from './projection-state.ts';
import { createSchema, createTable, definitionOf, dropTable } from './table-ddl.ts';

export type Making = Readonly<{
  projection: Projection;
  slot: Slot;
  /** The tables that the slot holds now. */
  replacing: readonly string[];
  /** The generation will be beyond this one. */
  after: bigint;
  owner: string;
  /** The present end of the log. */
  target: Position | undefined;
}>;

/** Makes the tables of a slot, empty, and its row, at the beginning of the log. */
export const makeTables = async (client: pg.ClientBase, making: Making): Promise<Place> => {
  const { projection, slot, replacing, after, owner, target } = making;
  const { version, tables } = projection;
  const name = stateName(projection.name, slot);
  const schema = schemaOf[slot];
  const names = tables.map((table) => table.name);
  const statements = [
    ...createSchema(schema),
    ...[...new Set([...replacing, ...names])].map((table) => dropTable(table, schema)),
    ...tables.flatMap((table) => createTable(table, schema)),
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
       owner = excluded.owner, paused = false, most_per_second = null, taken_back = false, run_since = null,
       run_events = null, run_position = null, updated_at = now()
     returning generation`,
    [name, version, definitionOf(projection), names, target?.commit ?? null, owner, after],
  );
  const place = { name, generation: rows[0]?.generation ?? 0n, position: undefined };
  await client.query('delete from projector.parked where name = $1', [name]);
  await client.query('select pg_notify($1, $2)', [PROGRESS, progressText(place)]);
  return place;
};

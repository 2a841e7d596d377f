import type pg from 'pg';
import type { Position } from '../../src/kernel/event-store.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { schemaOf, stateName, type Slot } from './builds.ts';
import { BUILD_LOCK, CONTROL, lockState, PROGRESS, progressText } from './projection-state.ts';
import type { Place, ProjectionState } from './projection-state.ts';
import { createSchema, createTable, definitionOf, dropTable, expectedShape, tableShapes } from './table-ddl.ts';
import { inTransaction } from './transaction.ts';

/** A newer build has made the tables: this one stands by, and takes over when a rebuild is asked for. */
export class SupersededError extends Error {
  constructor(name: string, version: number) {
    super(`${name} was built by a newer release (version ${version})`);
    this.name = 'SupersededError';
  }
}

/** The tables are those of an older release and of another form: this one waits until its own are built beside them. */
export class OutdatedError extends Error {
  constructor(name: string, version: number) {
    super(`the tables of ${name} are those of an older release (version ${version})`);
    this.name = 'OutdatedError';
  }
}

type Shapes = ReadonlyMap<string, string | null>;

const shapesOf = async (
  db: Pick<pg.ClientBase, 'query'>,
  names: readonly string[],
  schema: string,
): Promise<Shapes> => {
  const { rows } = await db.query<{ name: string; shape: string | null }>(tableShapes, [schema, names]);
  return new Map(rows.map(({ name, shape }) => [name, shape]));
};

/** True when all tables of a slot are there in the form that this release reads and writes. */
const tablesAreWhole = async (
  db: Pick<pg.ClientBase, 'query'>,
  { tables }: Projection,
  slot: Slot,
): Promise<boolean> => {
  const names = tables.map(({ name }) => name);
  const found = await shapesOf(db, names, schemaOf[slot]);
  return tables.every((table) => found.get(table.name) === expectedShape(table));
};

/** True when the tables that another release made are all there, whatever their form. */
const tablesAreThere = async (client: pg.ClientBase, { tables }: ProjectionState): Promise<boolean> =>
  (await shapesOf(client, tables, schemaOf.serving)).size === tables.length;

/** The projections whose tables have the form of an older release, so that this one cannot read them. */
export const outdatedOf = async (
  db: Pick<pg.ClientBase, 'query'>,
  projections: readonly Projection[],
  states: ReadonlyMap<string, ProjectionState>,
): Promise<ReadonlySet<string>> => {
  const outdated = new Set<string>();
  for (const projection of projections) {
    const state = states.get(projection.name);
    if (state === undefined || state.version > projection.version) continue;
    if (state.definition === definitionOf(projection)) continue;
    if (!(await tablesAreWhole(db, projection, 'serving'))) outdated.add(projection.name);
  }
  return outdated;
};

type Build = Readonly<{
  projection: Projection;
  slot: Slot;
  known: ProjectionState | undefined;
  owner: string;
  /** The present end of the log. */
  target: Position | undefined;
}>;

/** Makes the tables of a slot, empty, and its row, at the beginning of the log. */
const build = async (client: pg.ClientBase, { projection, slot, known, owner, target }: Build): Promise<Place> => {
  const { version, tables } = projection;
  const name = stateName(projection.name, slot);
  const schema = schemaOf[slot];
  const names = tables.map((table) => table.name);
  const statements = [
    ...createSchema(schema),
    ...[...new Set([...(known?.tables ?? []), ...names])].map((table) => dropTable(table, schema)),
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
       owner = excluded.owner, updated_at = now()
     returning generation`,
    [name, version, definitionOf(projection), names, target?.commit ?? null, owner, known?.requested ?? 0n],
  );
  const place = { name, generation: rows[0]?.generation ?? 0n, position: undefined };
  await client.query('delete from projector.parked where name = $1', [name]);
  await client.query('select pg_notify($1, $2)', [PROGRESS, progressText(place)]);
  return place;
};

/** `asked`: somebody wants these tables, also where a newer release builds others. */
type Wish = Readonly<{
  owner: string;
  target: Position | undefined;
  asked: boolean;
  mostPerSecond?: number | undefined;
}>;

/** Nobody has worked on a build for so long, in milliseconds: its release is gone. */
const ABANDONED = 300_000;

/** True when the same is being built, or what a release that is at least as new, and still there, wants. */
const isTaken = (known: ProjectionState | undefined, projection: Projection): boolean => {
  if (known === undefined) return false;
  if (known.definition === definitionOf(projection)) return true;
  return known.version >= projection.version && (known.owned || Date.parse(known.updatedAt) > Date.now() - ABANDONED);
};

/** True when readers see the tables of an older release, and nobody builds those of this one or of a newer. */
export const needsBuild = (
  serving: ProjectionState | undefined,
  next: ProjectionState | undefined,
  projection: Projection,
): boolean => serving !== undefined && serving.version < projection.version && !isTaken(next, projection);

/** Begins to build beside what readers see, unless that is being done. The row of what they see must be locked. */
const beginBeside = async (client: pg.ClientBase, projection: Projection, wish: Wish): Promise<void> => {
  const { owner, target, asked } = wish;
  const name = stateName(projection.name, 'next');
  const known = await lockState(client, name);
  if (!asked && isTaken(known, projection)) return;
  if (known?.definition !== definitionOf(projection))
    await build(client, { projection, slot: 'next', known, owner, target });
  if (asked) {
    const pace = wish.mostPerSecond ?? null;
    await client.query('update projector.state set paused = false, most_per_second = $2 where name = $1', [name, pace]);
  }
  await client.query('select pg_notify($1, $2)', [CONTROL, name]);
};

/** Begins to build the tables of this release beside those of an older one, which stay as they are until then. */
export const buildForUpgrade = (
  pool: pg.Pool,
  projection: Projection,
  owner: string,
  target: Position | undefined,
): Promise<void> =>
  inTransaction(pool, async (client) => {
    const state = await lockState(client, projection.name);
    // The one in use may have been exchanged meanwhile.
    if (state === undefined || state.version >= projection.version) return;
    await beginBeside(client, projection, { owner, target, asked: false });
  });

/** Where to go on, or why this release cannot. */
type Prepared = Readonly<{ place: Place } | { obstacle: Error }>;

const placeOf = ({ name, generation, position }: ProjectionState): Place => ({ name, generation, position });

const prepareIn = async (
  client: pg.ClientBase,
  projection: Projection,
  owner: string,
  target: Position | undefined,
): Promise<Prepared> => {
  const known = await lockState(client, projection.name);
  const inPlace = async (): Promise<Prepared> => ({
    place: await build(client, { projection, slot: 'serving', known, owner, target }),
  });
  if (known === undefined) return inPlace();
  const asked = known.requested > known.generation;
  if (known.version > projection.version && !asked) {
    return { obstacle: new SupersededError(projection.name, known.version) };
  }
  const isOwn = known.definition === definitionOf(projection);
  const isWhole = await tablesAreWhole(client, projection, 'serving');
  // What is damaged is of no use to any reader.
  if (!isWhole && (isOwn || !(await tablesAreThere(client, known)))) return inPlace();
  if (asked || !isOwn) {
    await beginBeside(client, projection, { owner, target, asked, mostPerSecond: known.mostPerSecond });
    await client.query(
      'update projector.state set requested = generation, most_per_second = null where name = $1 and requested > generation',
      [projection.name],
    );
  }
  if (known.version > projection.version) return { obstacle: new SupersededError(projection.name, known.version) };
  if (!isWhole) return { obstacle: new OutdatedError(projection.name, known.version) };
  return { place: placeOf(known) };
};

/**
 * Makes sure, in one transaction, that the tables that readers see are there in the form that this release reads, and
 * resolves with the place to go on from. What is missing or damaged is made again where it was, from the beginning of
 * the log, whose present end is `target`; what is only of another version, or asked to be rebuilt, is built beside what
 * is there. Throws SupersededError and OutdatedError while readers see the tables of another release.
 */
export const prepare = async (
  pool: pg.Pool,
  projection: Projection,
  owner: string,
  target: Position | undefined,
): Promise<Place> => {
  const prepared = await inTransaction(pool, (client) => prepareIn(client, projection, owner, target));
  if ('obstacle' in prepared) throw prepared.obstacle;
  return prepared.place;
};

/** A build that is to go on, and how fast. */
export type Beside = Readonly<{ place: Place; mostPerSecond: number | undefined }>;

/** True for a row of what is being built that this release is to work on. */
export const isToBuild = (next: ProjectionState | undefined, projection: Projection): next is ProjectionState =>
  next !== undefined && !next.paused && next.definition === definitionOf(projection);

/** Where to go on with what is built beside; undefined when this release has nothing to build. */
export const prepareBeside = (
  pool: pg.Pool,
  projection: Projection,
  owner: string,
  target: Position | undefined,
): Promise<Beside | undefined> =>
  inTransaction(pool, async (client) => {
    const known = await lockState(client, stateName(projection.name, 'next'));
    if (!isToBuild(known, projection)) return undefined;
    const place = (await tablesAreWhole(client, projection, 'next'))
      ? placeOf(known)
      : await build(client, { projection, slot: 'next', known, owner, target });
    return { place, mostPerSecond: known.mostPerSecond };
  });

import type pg from 'pg';
import { isAfter, later, type EventStore, type Position } from '../../src/kernel/event-store.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { schemaOf, stateName } from './builds.ts';
import { FencedError } from './feeding.ts';
import { statementsOf } from './op-statements.ts';
import type { DatabasePools } from './pools.ts';
import { applyEvents, type Opener } from './project-events.ts';
import { PROGRESS, progressText } from './projection-place.ts';
import { BUILD_LOCK, CONTROL, copyState, lockState, readStates } from './projection-state.ts';
import type { Place } from './projection-place.ts';
import type { ProjectionState } from './projection-state.ts';
import { createSchema, dropTable, moveTable, tableName } from './table-ddl.ts';
import { tablesAreWhole } from './table-shapes.ts';
import { changingTables } from './transaction.ts';

export type SwapDeps = Readonly<{
  store: Pick<EventStore, 'readAll'>;
  pools: Pick<DatabasePools, 'projector'>;
  vault: Opener;
  owner: string;
}>;

/** `behind`: there is more to read first than one transaction should wait for. `busy`: a table is in use for longer. */
export type Swapped = 'swapped' | 'behind' | 'busy';

/** Events that are written within the exchange at the most. */
const LAST_STRETCH = 500;
/** Readers wait behind the exchange while it waits for readers that came before it: no longer than this, in milliseconds. */
const READERS_MS = 300;
/** How long is waited for what is in nobody's way, in milliseconds. */
const IN_PEACE_MS = 3000;

const LOCK_NOT_AVAILABLE = '55P03';

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE;

/** Ends the exchange, and undoes all of it. */
class Behind extends Error {}

/** Writes what the tables that readers see have and those that were built lack. Answers how many events; throws Behind. */
const catchUp = async (
  client: pg.ClientBase,
  projection: Projection,
  { store, vault }: SwapDeps,
  next: ProjectionState,
  until: Position | undefined,
): Promise<number> => {
  if (until === undefined || !isAfter(until, next.position)) return 0;
  const page = await store.readAll({
    ...(next.position === undefined ? {} : { from: next.position }),
    maxCount: LAST_STRETCH,
    filter: { streamPrefixes: projection.streamPrefixes },
  });
  const missing = page.filter(({ position }) => !isAfter(position, until));
  if (missing.length === LAST_STRETCH) throw new Behind();
  const { ops, failure } = await applyEvents(projection, vault, missing);
  if (failure !== undefined) throw failure;
  for (const statement of statementsOf(ops, schemaOf.next)) {
    await client.query({ ...statement, values: [...statement.values] });
  }
  return missing.length;
};

const names = (tables: readonly string[], schema: string): string =>
  tables.map((table) => tableName(schema, table)).join(', ');

/**
 * Makes the server's own cleaning go, which gives way to who waits for more than a second, and keeps it away, while readers
 * and writers of the tables in use go on.
 */
const takeInPeace = async (client: pg.ClientBase, serving: readonly string[], next: readonly string[]) => {
  await client.query(`set local lock_timeout = ${IN_PEACE_MS}`);
  if (next.length > 0) await client.query(`lock table ${names(next, schemaOf.next)}`);
  if (serving.length > 0) {
    await client.query(`lock table ${names(serving, schemaOf.serving)} in share update exclusive mode`);
  }
};

/** Takes the tables that readers see, and puts the others in their place. */
const moveTables = async (
  client: pg.ClientBase,
  serving: readonly string[],
  next: readonly string[],
  old: readonly string[],
) => {
  const limit = Math.max(1, Math.floor(READERS_MS / Math.max(1, serving.length)));
  await client.query(`set local lock_timeout = ${limit}`);
  if (serving.length > 0) await client.query(`lock table ${names(serving, schemaOf.serving)}`);
  const statements = [
    ...[...new Set([...old, ...serving])].map((table) => dropTable(table, schemaOf.old)),
    ...serving.map((table) => moveTable(table, schemaOf.serving, schemaOf.old)),
    ...next.map((table) => moveTable(table, schemaOf.next, schemaOf.serving)),
  ];
  for (const statement of statements) await client.query(statement);
};

type Reached = Readonly<{ position: Position | undefined; events: number; owner: string }>;

/**
 * Rows keep their names and get each other's contents: who waits for one of them finds it, as it is then, and does not take
 * it for gone.
 */
const moveRows = async (
  client: pg.ClientBase,
  name: string,
  serving: ProjectionState | undefined,
  reached: Reached,
) => {
  const [next, old] = [stateName(name, 'next'), stateName(name, 'old')];
  const { position, events, owner } = reached;
  await client.query('delete from projector.parked where name = any($1)', [[name, next, old]]);
  await copyState(client, name, old);
  await copyState(client, next, name);
  await client.query('delete from projector.state where name = $1', [next]);
  const { rows } = await client.query<{ generation: bigint }>(
    `update projector.state set generation = fresh, requested = fresh, commit_position = $2, prepare_position = $3,
       events = events + $4, as_of = greatest(as_of, $5::timestamptz), status = 'live', owner = $6,
       most_per_second = null, taken_back = false, updated_at = now()
     from (select greatest((extract(epoch from clock_timestamp()) * 1000)::bigint, $7::bigint + 1) as fresh) as clock
     where name = $1 returning generation`,
    [
      name,
      position?.commit ?? null,
      position?.prepare ?? null,
      events,
      serving?.asOf ?? null,
      owner,
      serving?.requested ?? 0n,
    ],
  );
  const place = { name, generation: rows[0]?.generation ?? 0n, position };
  await client.query('select pg_notify($1, $2)', [PROGRESS, progressText(place)]);
  await client.query('select pg_notify($1, $2)', [CONTROL, name]);
};

const isStill = (next: ProjectionState | undefined, built: Place): next is ProjectionState =>
  next?.generation === built.generation && next.position?.commit === built.position?.commit && !next.paused;

const swapIn = async (client: pg.ClientBase, projection: Projection, built: Place, deps: SwapDeps): Promise<void> => {
  const { name } = projection;
  const next = await lockState(client, built.name);
  if (!isStill(next, built)) throw new FencedError(built.name);
  // Tables that somebody has dropped do not take the place of good ones: they are made again.
  if (!(await tablesAreWhole(client, projection, 'next'))) throw new FencedError(built.name);
  await client.query('select pg_advisory_xact_lock($1, 0)', [BUILD_LOCK]);
  for (const slot of ['serving', 'old'] as const) {
    for (const statement of createSchema(schemaOf[slot])) await client.query(statement);
  }
  // Nobody else changes which tables there are now.
  const known = new Map((await readStates(client)).map((state) => [state.name, state.tables]));
  const [inUse, replaced] = [known.get(name) ?? [], known.get(stateName(name, 'old')) ?? []];
  await takeInPeace(client, inUse, next.tables);
  // Who writes to the tables has to move this row first, and waits until the exchange is made.
  const serving = await lockState(client, name);
  const events = await catchUp(client, projection, deps, next, serving?.position);
  await moveTables(client, inUse, next.tables, replaced);
  await moveRows(client, name, serving, {
    position: later(serving?.position, next.position),
    events,
    owner: deps.owner,
  });
};

/**
 * Puts tables that were built beside in the place of those that readers see, in one transaction; what they lack by then is
 * written in it too, so that no reader ever sees less than before. Those that were replaced are kept. Throws FencedError
 * when the build is not where, or what, its owner thought.
 */
export const swap = async (projection: Projection, built: Place, deps: SwapDeps): Promise<Swapped> => {
  try {
    await changingTables(deps.pools.projector, projection.name, (client) => swapIn(client, projection, built, deps));
    return 'swapped';
  } catch (error) {
    if (error instanceof Behind) return 'behind';
    if (isBusy(error)) return 'busy';
    throw error;
  }
};

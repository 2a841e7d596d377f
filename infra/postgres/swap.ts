import type pg from 'pg';
import { comparePositions, isAfter, type EventStore, type Position } from '../../src/kernel/event-store.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { schemaOf, stateName } from './builds.ts';
import { FencedError } from './feeding.ts';
import { statementsOf } from './op-statements.ts';
import type { DatabasePools } from './pools.ts';
import { applyEvents, type Opener } from './project-events.ts';
import { BUILD_LOCK, CONTROL, lockState, PROGRESS, progressText } from './projection-state.ts';
import type { Place, ProjectionState } from './projection-state.ts';
import { createSchema, dropTable, moveTable } from './table-ddl.ts';
import { inTransaction } from './transaction.ts';

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
const TABLES_MS = 300;
const ROWS_MS = 2000;

const LOCK_NOT_AVAILABLE = '55P03';

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === LOCK_NOT_AVAILABLE;

const later = (one: Position | undefined, other: Position | undefined): Position | undefined =>
  one !== undefined && isAfter(one, other) ? one : other;

/** Writes what the tables that readers see have and those that were built lack. Answers how many events; undefined: too many. */
const catchUp = async (
  client: pg.ClientBase,
  projection: Projection,
  { store, vault }: SwapDeps,
  next: ProjectionState,
  until: Position | undefined,
): Promise<number | undefined> => {
  if (until === undefined || !isAfter(until, next.position)) return 0;
  const page = await store.readAll({
    ...(next.position === undefined ? {} : { from: next.position }),
    maxCount: LAST_STRETCH,
    filter: { streamPrefixes: projection.streamPrefixes },
  });
  const missing = page.filter(({ position }) => comparePositions(position, until) <= 0);
  if (missing.length === LAST_STRETCH) return undefined;
  const { ops, failure } = await applyEvents(projection, vault, missing);
  if (failure !== undefined) throw failure;
  for (const statement of statementsOf(ops, schemaOf.next)) {
    await client.query({ ...statement, values: [...statement.values] });
  }
  return missing.length;
};

const moveTables = async (
  client: pg.ClientBase,
  serving: ProjectionState | undefined,
  next: ProjectionState,
  old: ProjectionState | undefined,
): Promise<void> => {
  const leaving = serving?.tables ?? [];
  const forgotten = new Set([...(old?.tables ?? []), ...leaving]);
  await client.query('select pg_advisory_xact_lock($1, 0)', [BUILD_LOCK]);
  await client.query(`set local lock_timeout = ${TABLES_MS}`);
  const statements = [
    ...createSchema(schemaOf.serving),
    ...createSchema(schemaOf.old),
    ...[...forgotten].map((table) => dropTable(table, schemaOf.old)),
    ...leaving.map((table) => moveTable(table, schemaOf.serving, schemaOf.old)),
    ...next.tables.map((table) => moveTable(table, schemaOf.next, schemaOf.serving)),
  ];
  for (const statement of statements) await client.query(statement);
};

const moveRows = async (
  client: pg.ClientBase,
  name: string,
  serving: ProjectionState | undefined,
  reached: Readonly<{ position: Position | undefined; events: number; owner: string }>,
): Promise<void> => {
  const [next, old] = [stateName(name, 'next'), stateName(name, 'old')];
  const { position, events, owner } = reached;
  await client.query('delete from projector.parked where name = any($1)', [[name, next, old]]);
  await client.query('delete from projector.state where name = $1', [old]);
  await client.query('update projector.state set name = $2 where name = $1', [name, old]);
  const { rows } = await client.query<{ generation: bigint }>(
    `update projector.state set name = $1, generation = fresh, requested = fresh, commit_position = $3,
       prepare_position = $4, events = events + $5, as_of = greatest(as_of, $6::timestamptz), status = 'live', owner = $7,
       most_per_second = null, updated_at = now()
     from (select greatest((extract(epoch from clock_timestamp()) * 1000)::bigint, $8::bigint + 1) as fresh) as clock
     where name = $2 returning generation`,
    [
      name,
      next,
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

const swapIn = async (
  client: pg.ClientBase,
  projection: Projection,
  built: Place,
  deps: SwapDeps,
): Promise<Exclude<Swapped, 'busy'>> => {
  const { name } = projection;
  await client.query(`set local lock_timeout = ${ROWS_MS}`);
  // Always in this order. Who writes to the tables has to move the row first, and waits here until the exchange is made.
  const serving = await lockState(client, name);
  const next = await lockState(client, stateName(name, 'next'));
  const old = await lockState(client, stateName(name, 'old'));
  const isMine = next?.generation === built.generation && next.position?.commit === built.position?.commit;
  if (next === undefined || !isMine || next.paused) throw new FencedError(built.name);
  const events = await catchUp(client, projection, deps, next, serving?.position);
  if (events === undefined) return 'behind';
  await moveTables(client, serving, next, old);
  await moveRows(client, name, serving, {
    position: later(serving?.position, next.position),
    events,
    owner: deps.owner,
  });
  return 'swapped';
};

/**
 * Puts tables that were built beside in the place of those that readers see, in one transaction; what they lack by then is
 * written in it too, so that no reader ever sees less than before. Those that were replaced are kept. Throws FencedError
 * when the build is not where its owner thought.
 */
export const swap = async (projection: Projection, built: Place, deps: SwapDeps): Promise<Swapped> => {
  try {
    return await inTransaction(deps.pools.projector, (client) => swapIn(client, projection, built, deps));
  } catch (error) {
    if (isBusy(error)) return 'busy';
    throw error;
  }
};

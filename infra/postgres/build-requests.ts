import type pg from 'pg';
import type { Projection } from '../../src/kernel/projection.ts';
import { MIXED, schemaOf, stateName } from './builds.ts';
import { CONTROL, copyState, lockState } from './projection-state.ts';
import { createSchema, definitionOf, dropTable, moveTable } from './table-ddl.ts';
import { changingTables } from './transaction.ts';

/**
 * Asks the owner of a projection to build it anew, at `mostPerSecond` events a second if given. Answers the generation to
 * wait for; undefined when there is none.
 */
export const requestRebuild = async (
  db: Pick<pg.Pool, 'query'>,
  name: string,
  mostPerSecond?: number,
): Promise<bigint | undefined> => {
  const { rows } = await db.query<{ requested: bigint }>(
    `with asked as (update projector.state set requested = generation + 1, most_per_second = $2, updated_at = now()
       where name = $1
       returning requested)
     select requested, pg_notify('${CONTROL}', $1) from asked`,
    [name, mostPerSecond ?? null],
  );
  return rows[0]?.requested;
};

/** Drops the tables of a slot with its row. Answers false when there are none. */
const drop = async (client: pg.ClientBase, name: string, slot: 'next' | 'old'): Promise<boolean> => {
  const row = stateName(name, slot);
  const known = await lockState(client, row);
  if (known === undefined) return false;
  for (const table of known.tables) await client.query(dropTable(table, schemaOf[slot]));
  await client.query('delete from projector.state where name = $1', [row]);
  await client.query('delete from projector.parked where name = $1', [row]);
  await client.query('select pg_notify($1, $2)', [CONTROL, row]);
  return true;
};

/** Gives up what is being built beside. Answers false when nothing is. */
export const cancelBuild = (pool: pg.Pool, name: string): Promise<boolean> =>
  changingTables(pool, name, (client) => drop(client, name, 'next'));

/** Lets a build rest, or go on. Answers false when nothing is being built. */
export const pauseBuild = async (db: Pick<pg.Pool, 'query'>, name: string, paused: boolean): Promise<boolean> => {
  const { rows } = await db.query(
    `with told as (update projector.state set paused = $2, updated_at = now() where name = $1 returning name)
     select pg_notify('${CONTROL}', name) from told`,
    [stateName(name, 'next'), paused],
  );
  return rows.length === 1;
};

/** Drops what has been built so far: it begins again, in tables of its own, unless it rests. */
export const emptyBuild = (pool: pg.Pool, name: string): Promise<void> =>
  changingTables(pool, name, async (client) => {
    const row = stateName(name, 'next');
    const known = await lockState(client, row);
    if (known === undefined) return;
    for (const table of known.tables) await client.query(dropTable(table, schemaOf.next));
    await client.query('delete from projector.parked where name = $1', [row]);
    await client.query(
      `update projector.state set commit_position = null, prepare_position = null, events = 0, as_of = null,
         status = 'catching_up', generation = generation + 1, requested = generation + 1, taken_back = false,
         updated_at = now() where name = $1`,
      [row],
    );
    await client.query('select pg_notify($1, $2)', [CONTROL, row]);
  });

/** Drops the tables that a projection had before: there is no way back then. Answers false when there are none. */
export const forgetOld = (pool: pg.Pool, name: string): Promise<boolean> =>
  changingTables(pool, name, (client) => drop(client, name, 'old'));

/**
 * `generation`: the one to wait for. `other`: what was replaced is not of this release alone; `version` says which it is
 * of, unless two have written it.
 */
export type Undone = Readonly<
  { kind: 'begun'; generation: bigint } | { kind: 'nothing' } | { kind: 'other'; version: number; isMixed: boolean }
>;

/**
 * Takes back the tables that were replaced last: they catch up beside those in use and are then put in their place. Gives
 * up what was being built.
 */
export const undoRebuild = (pool: pg.Pool, projection: Projection): Promise<Undone> =>
  changingTables(pool, projection.name, async (client): Promise<Undone> => {
    const { name } = projection;
    const [next, old] = [stateName(name, 'next'), stateName(name, 'old')];
    const serving = await lockState(client, name);
    const replaced = await lockState(client, old);
    if (serving === undefined || replaced === undefined) return { kind: 'nothing' };
    const { definition, version } = replaced;
    if (definition !== definitionOf(projection)) return { kind: 'other', version, isMixed: definition === MIXED };
    await drop(client, name, 'next');
    for (const statement of createSchema(schemaOf.next)) await client.query(statement);
    for (const table of replaced.tables) {
      await client.query(dropTable(table, schemaOf.next));
      await client.query(moveTable(table, schemaOf.old, schemaOf.next));
    }
    await copyState(client, old, next);
    await client.query('delete from projector.state where name = $1', [old]);
    await client.query(
      `update projector.state set status = 'catching_up', generation = $2, requested = $2, taken_back = true,
         paused = false, most_per_second = null, updated_at = now() where name = $1`,
      // Beyond every build before it, so that nobody takes it for one of those.
      [next, serving.requested + 1n],
    );
    // What was asked for before is not wanted any more.
    await client.query('update projector.state set requested = generation, most_per_second = null where name = $1', [
      name,
    ]);
    await client.query('select pg_notify($1, $2)', [CONTROL, next]);
    return { kind: 'begun', generation: serving.generation + 1n };
  });

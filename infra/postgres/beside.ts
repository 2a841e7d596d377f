import type pg from 'pg';
import type { Position } from '../../src/kernel/event-store.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { MIXED, stateName } from './builds.ts';
import { makeTables, type Making } from './make-tables.ts';
import type { Place } from './projection-place.ts';
import { CONTROL, lockState, type ProjectionState } from './projection-state.ts';
import { definitionOf } from './table-ddl.ts';
import { tablesAreWhole } from './table-shapes.ts';
import { changingTables } from './transaction.ts';

/** Nobody has worked on a build for so long, in milliseconds: its release is gone. Longer than any pause between tries. */
const ABANDONED = 90_000;

const isOwn = (known: ProjectionState, projection: Projection): boolean =>
  known.definition === definitionOf(projection);

/** True when the same is being built, or what a release that is at least as new, and still there, wants. */
const isTaken = (known: ProjectionState | undefined, projection: Projection): boolean => {
  if (known === undefined) return false;
  if (isOwn(known, projection)) return true;
  const isThere = known.owned || known.paused || Date.parse(known.updatedAt) > Date.now() - ABANDONED;
  return known.version >= projection.version && isThere;
};

const isPure = ({ definition }: ProjectionState): boolean => definition !== MIXED;

/** True when readers see tables that are not of this release alone nor of a newer one, and nobody builds better ones. */
export const needsBuild = (
  serving: ProjectionState | undefined,
  next: ProjectionState | undefined,
  projection: Projection,
): boolean => {
  if (serving === undefined || serving.version > projection.version) return false;
  if (serving.version === projection.version && isPure(serving)) return false;
  return !isTaken(next, projection);
};

/** What tables that are made in the place of others have to know of them. */
export const over = (known: ProjectionState | undefined): Pick<Making, 'replacing' | 'after'> => ({
  replacing: known?.tables ?? [],
  after: known?.requested ?? 0n,
});

/** `target`: the present end of the log. */
export type Wish = Readonly<{ owner: string; target: Position | undefined }>;

/** Begins to build beside what readers see, unless that is being done. */
export const beginBeside = async (client: pg.ClientBase, projection: Projection, wish: Wish): Promise<void> => {
  const name = stateName(projection.name, 'next');
  const known = await lockState(client, name);
  if (isTaken(known, projection)) return;
  await makeTables(client, { projection, slot: 'next', ...over(known), ...wish });
  await client.query('select pg_notify($1, $2)', [CONTROL, name]);
};

/** True for a build that does what is asked for now: from the beginning of the log, and not stopped by anything. */
const isFresh = (known: ProjectionState, projection: Projection): boolean =>
  isOwn(known, projection) && !known.takenBack && !known.paused && known.status !== 'failed';

/** Begins to build, because somebody has asked for it, what is not being built already. */
export const beginAsked = async (
  client: pg.ClientBase,
  projection: Projection,
  serving: ProjectionState,
  wish: Wish,
): Promise<void> => {
  const name = stateName(projection.name, 'next');
  const known = await lockState(client, name);
  // A newer release that is at it makes new tables too.
  if (known !== undefined && known.version > projection.version && known.owned) return;
  if (known === undefined || !isFresh(known, projection)) {
    const { replacing, after } = over(known);
    const beyond = after > serving.requested ? after : serving.requested;
    await makeTables(client, { projection, slot: 'next', replacing, after: beyond, ...wish });
  }
  await client.query('update projector.state set most_per_second = $2 where name = $1', [
    name,
    serving.mostPerSecond ?? null,
  ]);
  await client.query('select pg_notify($1, $2)', [CONTROL, name]);
};

/** Begins to build the tables of this release beside those of an older one, which stay as they are until then. */
export const buildForUpgrade = (pool: pg.Pool, projection: Projection, wish: Wish): Promise<void> =>
  changingTables(pool, projection.name, async (client) => {
    const serving = await lockState(client, projection.name);
    // The one in use may have been exchanged meanwhile.
    if (needsBuild(serving, undefined, projection)) await beginBeside(client, projection, wish);
  });

/** A build that is to go on, and how fast. */
export type Beside = Readonly<{ place: Place; mostPerSecond: number | undefined }>;

/** True for a row of what is being built that this release is to work on. */
export const isToBuild = (next: ProjectionState | undefined, projection: Projection): next is ProjectionState =>
  next !== undefined && !next.paused && isOwn(next, projection);

/** Where to go on with what is built beside; undefined when this release has nothing to build. */
export const prepareBeside = (pool: pg.Pool, projection: Projection, wish: Wish): Promise<Beside | undefined> =>
  changingTables(pool, projection.name, async (client) => {
    const known = await lockState(client, stateName(projection.name, 'next'));
    if (!isToBuild(known, projection)) return undefined;
    const { name, generation, position, mostPerSecond } = known;
    const isWhole = await tablesAreWhole(client, projection, 'next');
    const place = isWhole
      ? { name, generation, position }
      : await makeTables(client, { projection, slot: 'next', ...over(known), ...wish });
    await client.query(
      `update projector.state set run_since = now(), run_events = events, run_position = coalesce(commit_position, 0)
       where name = $1`,
      [name],
    );
    return { place, mostPerSecond };
  });

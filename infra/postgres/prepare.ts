import type pg from 'pg';
import type { Projection } from '../../src/kernel/projection.ts';
import { beginAsked, beginBeside, over, type Wish } from './beside.ts';
import { MIXED } from './builds.ts';
import { makeTables } from './make-tables.ts';
import type { Place } from './projection-place.ts';
import { lockState, type ProjectionState } from './projection-state.ts';
import { definitionOf } from './table-ddl.ts';
import { tablesAreThere, tablesAreWhole } from './table-shapes.ts';
import { changingTables } from './transaction.ts';

/** A newer build has made the tables: this one stands by, and takes over when a rebuild is asked for. */
export class SupersededError extends Error {
  constructor({ name, version }: ProjectionState) {
    super(`${name} was built by a newer release (version ${version})`);
    this.name = 'SupersededError';
  }
}

/** The tables are those of an older release and of another form: this one waits until its own are built beside them. */
export class OutdatedError extends Error {
  constructor({ name, version }: ProjectionState) {
    super(`the tables of ${name} are those of an older release (version ${version})`);
    this.name = 'OutdatedError';
  }
}

/** How long a request waits for the release that made the tables, in milliseconds. */
const OTHERS_FIRST = 2000;

/** Where to go on, or why this release cannot. */
type Prepared = Readonly<{ place: Place } | { obstacle: Error }>;

/** Goes on with tables that are there; those of another release are this one's to write until its own are built. */
const goOn = async (
  client: pg.ClientBase,
  { name, generation, position }: ProjectionState,
  isOwn: boolean,
): Promise<Prepared> => {
  if (!isOwn) await client.query('update projector.state set definition = $2 where name = $1', [name, MIXED]);
  return { place: { name, generation, position } };
};

/** True when a rebuild was asked for; the newer release, if it is there, is given the time to do it itself. */
const isForUs = ({ requested, generation, updatedAt }: ProjectionState, isSuperseded: boolean): boolean =>
  requested > generation && (!isSuperseded || Date.parse(updatedAt) < Date.now() - OTHERS_FIRST);

const answerRequest = async (
  client: pg.ClientBase,
  projection: Projection,
  known: ProjectionState,
  wish: Wish,
): Promise<void> => {
  await beginAsked(client, projection, known, wish);
  await client.query('update projector.state set requested = generation, most_per_second = null where name = $1', [
    known.name,
  ]);
};

const prepareIn = async (client: pg.ClientBase, projection: Projection, wish: Wish): Promise<Prepared> => {
  const known = await lockState(client, projection.name);
  const inPlace = async (): Promise<Prepared> => ({
    place: await makeTables(client, { projection, slot: 'serving', ...over(known), ...wish }),
  });
  if (known === undefined) return inPlace();
  const isSuperseded = known.version > projection.version;
  const isAsked = isForUs(known, isSuperseded);
  if (isSuperseded && !isAsked) return { obstacle: new SupersededError(known) };
  const isOwn = known.definition === definitionOf(projection);
  const isWhole = await tablesAreWhole(client, projection, 'serving');
  // What is damaged is of no use to any reader.
  if (!isWhole && (isOwn || !(await tablesAreThere(client, known)))) return inPlace();
  if (isAsked) await answerRequest(client, projection, known, wish);
  else if (!isOwn) await beginBeside(client, projection, wish);
  if (isSuperseded) return { obstacle: new SupersededError(known) };
  return isWhole ? goOn(client, known, isOwn) : { obstacle: new OutdatedError(known) };
};

/**
 * Makes sure, in one transaction, that the tables that readers see are there in the form that this release reads, and
 * resolves with the place to go on from. What is missing or damaged is made again where it was, from the beginning of
 * the log; what is only of another version, or asked to be rebuilt, is built beside what is there. Throws SupersededError
 * and OutdatedError while readers see tables that another release has to keep up to date.
 */
export const prepare = async (pool: pg.Pool, projection: Projection, wish: Wish): Promise<Place> => {
  const prepared = await changingTables(pool, projection.name, (client) => prepareIn(client, projection, wish));
  if ('obstacle' in prepared) throw prepared.obstacle;
  return prepared.place;
};

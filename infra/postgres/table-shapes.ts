import type pg from 'pg';
import type { Projection } from '../../src/kernel/projection.ts';
import { schemaOf, type Slot } from './builds.ts';
import type { ProjectionState } from './projection-state.ts';
import { definitionOf, expectedShape, tableShapes } from './table-ddl.ts';

type Db = Pick<pg.ClientBase, 'query'>;

const shapesOf = async (
  db: Db,
  names: readonly string[],
  schema: string,
): Promise<ReadonlyMap<string, string | null>> => {
  const { rows } = await db.query<{ name: string; shape: string | null }>(tableShapes, [schema, names]);
  return new Map(rows.map(({ name, shape }) => [name, shape]));
};

/** True when all tables of a slot are there in the form that this release reads and writes. */
export const tablesAreWhole = async (db: Db, { tables }: Projection, slot: Slot): Promise<boolean> => {
  const names = tables.map(({ name }) => name);
  const found = await shapesOf(db, names, schemaOf[slot]);
  return tables.every((table) => found.get(table.name) === expectedShape(table));
};

/** True when the tables that readers see are all there, whichever release made them and in whatever form. */
export const tablesAreThere = async (db: Db, { tables }: ProjectionState): Promise<boolean> =>
  (await shapesOf(db, tables, schemaOf.serving)).size === tables.length;

/** The projections whose tables have the form of an older release, so that this one cannot read them. */
export const outdatedOf = async (
  db: Db,
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

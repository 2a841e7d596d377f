import type pg from 'pg';
import { isOfSlot, projectionOf, schemaOf } from './builds.ts';
import { emptyBuild, forgetOld } from './build-requests.ts';
import { readStates, type ProjectionState } from './projection-state.ts';
import { dropTable } from './table-ddl.ts';

/** A build on which nobody has worked for so long, in milliseconds, is not waited for. */
const UNATTENDED = 60_000;

const isAttended = ({ owned, paused, status, updatedAt }: ProjectionState): boolean =>
  owned || (!paused && status !== 'failed' && Date.parse(updatedAt) > Date.now() - UNATTENDED);

/** Drops tables beside those in use that no row tells of, because somebody has dropped the rows. */
const dropStrays = async (pool: pg.Pool, slot: 'next' | 'old'): Promise<void> => {
  const { rows } = await pool.query<{ name: string }>(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind = 'r'`,
    [schemaOf[slot]],
  );
  // Read after the tables, so that what is made meanwhile is not taken for a stray.
  const states = await readStates(pool);
  const told = new Set(states.filter(({ name }) => isOfSlot(name, slot)).flatMap(({ tables }) => tables));
  for (const { name } of rows) if (!told.has(name)) await pool.query(dropTable(name, schemaOf[slot]));
};

/** True where nothing can stand that was written before now. */
const isEmpty = (states: readonly ProjectionState[]): boolean =>
  states.every(({ name, position }) => !isOfSlot(name, 'old') && (!isOfSlot(name, 'next') || position === undefined));

/**
 * Drops every table beside those in use, so that nothing of a user is left there: what was replaced, and what is being
 * built but by nobody at this moment, which begins anew. Answers false while something is being built that has to be waited
 * for.
 */
export const forgetBeside = async (pool: pg.Pool): Promise<boolean> => {
  const states = await readStates(pool);
  const builds = states.filter(({ name }) => isOfSlot(name, 'next'));
  if (builds.some(isAttended)) return false;
  for (const { name } of builds) await emptyBuild(pool, projectionOf(name));
  for (const { name } of states) if (isOfSlot(name, 'old')) await forgetOld(pool, projectionOf(name));
  await dropStrays(pool, 'next');
  await dropStrays(pool, 'old');
  // Something may have been taken back meanwhile.
  return isEmpty(await readStates(pool));
};

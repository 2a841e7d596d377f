import type pg from 'pg';
import { BUILD_LOCK } from './projection-state.ts';

/** Runs `work` in one transaction and resolves with what it answers; a failure undoes all of it and is thrown. */
const inTransaction = async <T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const answer = await work(client);
    await client.query('commit');
    client.release();
    return answer;
  } catch (error) {
    // Ending the connection ends the transaction, whatever state it is in.
    client.release(true);
    throw error;
  }
};

/**
 * The same, for what makes, moves or drops tables of a projection: one at a time, whichever instance, and each sees what the
 * one before it has done. Not for what writes rows: that is fenced by its place.
 */
export const changingTables = <T>(
  pool: pg.Pool,
  projection: string,
  work: (client: pg.PoolClient) => Promise<T>,
): Promise<T> =>
  inTransaction(pool, async (client) => {
    await client.query('select pg_advisory_xact_lock($1, hashtext($2))', [BUILD_LOCK, projection]);
    return work(client);
  });

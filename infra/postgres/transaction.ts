import type pg from 'pg';

/** Runs `work` in one transaction and resolves with what it answers; a failure undoes all of it and is thrown. */
export const inTransaction = async <T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
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

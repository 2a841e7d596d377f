import pg from 'pg';
import type { Query, QueryRunner, Statement } from '../../src/kernel/query.ts';
import { asQueryFault, isLost } from './faults.ts';
import { flight } from './flight.ts';
import type { DatabasePools } from './pools.ts';

const onClient = async <T>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
  try {
    const client = await pool.connect();
    try {
      const answer = await work(client);
      client.release();
      return answer;
    } catch (error) {
      client.release(isLost(error));
      throw error;
    }
  } catch (error) {
    throw asQueryFault(error);
  }
};

const configOf = ({ text, values }: Statement): pg.QueryConfig => ({ text, values: [...values] });

/**
 * Answers queries. The user's id lives in the transaction alone: a connection that comes back to the pool belongs to
 * nobody, and nobody sees no rows.
 */
export const queryRunner = (pools: Pick<DatabasePools, 'appUser' | 'appSystem'>): QueryRunner => ({
  asUser: async <Row, View>(userId: string, { statement, present }: Query<Row, View>) => {
    const [, answer] = await onClient(pools.appUser, (client) =>
      flight(
        client.query(`begin read only; select set_config('app.user_id', ${pg.escapeLiteral(userId)}, true)`),
        client.query(configOf(statement)),
        client.query('commit'),
      ),
    );
    return present(answer.rows as readonly Row[]);
  },
  asSystem: async <Row, View>({ statement, present }: Query<Row, View>) => {
    const answer = await onClient(pools.appSystem, (client) => client.query(configOf(statement)));
    return present(answer.rows as readonly Row[]);
  },
});

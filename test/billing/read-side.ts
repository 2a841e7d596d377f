import { applyEvents } from '../../infra/postgres/project-events.ts';
import { migrate } from '../../infra/postgres/migrate.ts';
import { databasePools } from '../../infra/postgres/pools.ts';
import { queryRunner } from '../../infra/postgres/query-runner.ts';
import { statementsOf } from '../../infra/postgres/op-statements.ts';
import { createSchema, createTable } from '../../infra/postgres/table-ddl.ts';
import type { EventStore, Position } from '../../src/kernel/event-store.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import type { QueryRunner } from '../../src/kernel/query.ts';
import type { SubjectVault } from '../../src/kernel/vault.ts';
import { freshDatabase } from '../support/postgres.ts';

export type ReadSide = Readonly<{
  /** Answers from read models that hold everything the store holds when the question is asked. */
  queries: QueryRunner;
  close: () => Promise<void>;
}>;

type Source = Readonly<{ store: EventStore; vault: Pick<SubjectVault, 'open'> }>;

/** Real tables in a database of their own, kept up to date by asking: a test never waits for a projector. */
export const startReadSide = async (
  projections: readonly Projection[],
  { store, vault }: Source,
): Promise<ReadSide> => {
  const database = await freshDatabase();
  const pools = databasePools({ url: database.url, logger: silentLogger });
  await migrate(pools, silentLogger);
  const write = async (
    statements: readonly Readonly<{ text: string; values?: readonly unknown[] }>[],
  ): Promise<void> => {
    for (const { text, values = [] } of statements) await pools.projector.query(text, [...values]);
  };
  const tables = projections.flatMap((projection) => projection.tables.flatMap((table) => createTable(table)));
  await write([...createSchema(), ...tables].map((text) => ({ text })));

  let from: Position | undefined;
  const catchUp = async (): Promise<void> => {
    const events = await store.readAll({ ...(from === undefined ? {} : { from }), maxCount: 100_000 });
    for (const projection of projections) {
      const own = events.filter(({ stream }) => projection.streamPrefixes.some((prefix) => stream.startsWith(prefix)));
      const { ops, failure } = await applyEvents(projection, vault, own);
      if (failure !== undefined) throw failure;
      await write(statementsOf(ops));
    }
    from = events.at(-1)?.position ?? from;
  };

  // Two questions at once must not write the same events twice.
  let turn = Promise.resolve();
  const inTurn = (): Promise<void> => {
    // One that failed, because the store was away, is no reason for the next to fail.
    turn = turn.catch(() => undefined).then(catchUp);
    return turn;
  };

  const inner = queryRunner(pools);
  return {
    queries: {
      asUser: async (userId, query) => {
        await inTurn();
        return inner.asUser(userId, query);
      },
      asSystem: async (query) => {
        await inTurn();
        return inner.asSystem(query);
      },
    },
    close: async () => {
      await pools.close();
      await database.drop();
    },
  };
};

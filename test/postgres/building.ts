import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import type { ProjectionStatus } from '../../infra/postgres/projection-status.ts';
import type { Projector } from '../../infra/postgres/projector.ts';
import { verifyProjection } from '../../infra/postgres/verify-projection.ts';
import type { Position } from '../../src/kernel/event-store.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { memoryEventStore, type MemoryEventStore } from '../support/memory-event-store.ts';
import { counted, counting, database, testProjector, until, vault } from './fixture.ts';

/** The read model that is built, and two users of whom the log tells. */
export const name = 'test_counting';
export const ada = randomUUID();
export const bob = randomUUID();

export const many = (count: number): readonly bigint[] => Array.from({ length: count }, () => 1n);

export const statusOf = (which: Projector): ProjectionStatus => which.status()[0]!;
export const isLive = (which: Projector) => () => statusOf(which).state === 'live';
export const isExchanged = (which: Projector, before: string) => () =>
  statusOf(which).generation !== before && statusOf(which).state === 'live' && statusOf(which).building === null;

/** A database, a log and projectors for each test of a suite, with ways to look at them. */
export const building = () => {
  let pools: DatabasePools;
  let drop: () => Promise<void>;
  let store: MemoryEventStore;
  let started: Projector[] = [];

  beforeEach(async () => {
    ({ pools, drop } = await database());
    store = memoryEventStore();
  });
  afterEach(async () => {
    await Promise.all(started.map((each) => each.stop()));
    started = [];
    await drop();
  });

  const begin = (options: Partial<Parameters<typeof testProjector>[0]> = {}): Projector => {
    const made = testProjector({ projections: [counting()], store, pools, ...options });
    made.start();
    started.push(made);
    return made;
  };
  const end = async (which: Projector): Promise<void> => {
    started = started.filter((each) => each !== which);
    await which.stop();
  };
  const say = async (user: string, ...amounts: readonly bigint[]): Promise<Position> =>
    (
      await store.append(
        `counter-${user}`,
        'any',
        amounts.map((amount) => counted(amount)),
      )
    ).position;
  const reaches = async (which: Projector, position: Position): Promise<void> => {
    expect(await which.waitFor(position, { timeoutMs: 15_000 })).to.equal(true);
  };
  /** A projector that is live with these amounts of one user, and its generation. */
  const live = async (amounts: readonly bigint[], options: Parameters<typeof begin>[0] = {}) => {
    const it = begin(options);
    await reaches(it, await say(ada, ...amounts));
    await until(isLive(it));
    return { it, generation: statusOf(it).generation };
  };
  /** Reads in a transaction that stays open until `done`. */
  const longRead = async (): Promise<() => Promise<void>> => {
    const reader = await pools.appSystem.connect();
    await reader.query('begin');
    await reader.query('select * from rm.test_counter');
    return async () => {
      await reader.query('commit');
      reader.release();
    };
  };
  const sumAndCount = async (): Promise<readonly [bigint, bigint]> => {
    const { rows } = await pools.appSystem.query<{ total: bigint; events: bigint }>(
      `select coalesce(sum(total), 0)::bigint as total, (select count(*) from rm.test_entry) as events
       from rm.test_counter`,
    );
    return [rows[0]!.total, rows[0]!.events];
  };
  const isRight = async (projection: Projection = counting()): Promise<void> => {
    const { right, tables, skipped } = await verifyProjection(projection, { store, pools, vault });
    expect(right, `${skipped} ${JSON.stringify(tables)}`).to.equal(true);
  };
  const tablesIn = async (schema: string): Promise<readonly string[]> => {
    const { rows } = await pools.owner.query<{ name: string }>(
      'select table_name as name from information_schema.tables where table_schema = $1 order by 1',
      [schema],
    );
    return rows.map((row) => row.name);
  };

  return { parts: () => ({ pools, store }), begin, end, say, reaches, live, longRead, sumAndCount, isRight, tablesIn };
};

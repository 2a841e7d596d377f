import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { migrate } from '../../infra/postgres/migrate.ts';
import { databasePools, type DatabasePools } from '../../infra/postgres/pools.ts';
import { projector, type Projector, type ProjectorOptions } from '../../infra/postgres/projector.ts';
import type { NewEvent } from '../../src/kernel/event-store.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { Event, EventMetadata } from '../../src/kernel/message.ts';
import { defineProjection, type Projection } from '../../src/kernel/projection.ts';
import { defineTable } from '../../src/kernel/table.ts';
import { freshDatabase } from '../support/postgres.ts';

/** Waits until `holds` answers true; throws after `limit` milliseconds. */
export const until = async (holds: () => Promise<boolean> | boolean, limit = 15_000): Promise<void> => {
  const end = performance.now() + limit;
  while (!(await holds())) {
    if (performance.now() > end) throw new Error('it did not come to pass');
    await delay(10);
  }
};

/** A migrated database of its own, with pools that end with it. */
export const database = async (): Promise<{ pools: DatabasePools; url: string; drop: () => Promise<void> }> => {
  const { url, drop } = await freshDatabase();
  const pools = databasePools({ url, logger: silentLogger });
  await migrate(pools, silentLogger);
  return {
    pools,
    url,
    drop: async () => {
      await pools.close();
      await drop();
    },
  };
};

export const metadata = (extra: Partial<EventMetadata> = {}): EventMetadata => ({
  $correlationId: 'c',
  $causationId: 'c',
  schemaVersion: 1,
  occurredAt: '2026-11-02T09:00:01.250Z',
  idempotencyKey: 'k',
  actor: { kind: 'system', id: 'system' },
  prevHash: '',
  hash: 'h',
  ...extra,
});

export const counted = (amount: bigint, note: string | null = null): NewEvent => ({
  id: randomUUID(),
  type: 'Counted',
  data: { amount: amount.toString(), note },
  metadata: metadata(),
});

export const removed = (): NewEvent => ({ id: randomUUID(), type: 'Removed', data: {}, metadata: metadata() });

export const counters = defineTable({
  name: 'test_counter',
  columns: {
    user_id: { type: 'uuid' },
    total: { type: 'bigint', default: '0' },
    events: { type: 'bigint', default: '0' },
    note: { type: 'text', nullable: true },
    last: { type: 'jsonb', nullable: true },
    at: { type: 'timestamptz', nullable: true },
  },
  key: ['user_id'],
  owner: 'user_id',
  indexes: [['at desc', 'user_id']],
});

export const entries = defineTable({
  name: 'test_entry',
  columns: { id: { type: 'uuid' }, user_id: { type: 'uuid' }, amount: { type: 'bigint' } },
  key: ['id'],
  owner: 'user_id',
});

type Counted = Event<'Counted', Readonly<{ amount: string; note: string | null }>>;
type Removed = Event<'Removed', Readonly<Record<string, never>>>;

const userOf = (stream: string): string => stream.slice(stream.indexOf('-') + 1);

/** A read model with all kinds of operations: a sum a stream, and a line an event. */
export const counting = (extra: Partial<Projection> = {}): Projection => ({
  ...defineProjection<Counted | Removed>({
    name: 'test_counting',
    version: 1,
    tables: [counters, entries],
    streamPrefixes: ['counter-'],
    upcasters: {},
    on: {
      Counted: ({ id, data, stream, metadata: { occurredAt } }) => {
        const key = { user_id: userOf(stream) };
        return [
          {
            op: 'add',
            table: counters,
            key,
            add: { total: BigInt(data.amount), events: 1n },
            set: { last: { amount: data.amount, note: data.note } },
          },
          { op: 'set', table: counters, key, set: { note: data.note, at: occurredAt } },
          { op: 'insert', table: entries, row: { id, user_id: userOf(stream), amount: BigInt(data.amount) } },
        ];
      },
      Removed: ({ stream }) => [{ op: 'remove', table: counters, key: { user_id: userOf(stream) } }],
    },
  }),
  ...extra,
});

/** Opens every sealed member to the same text. */
export const vault = { open: () => Promise.resolve('opened') };

/** A projector with the parts that most tests do not care about. */
export const testProjector = (
  options: Pick<ProjectorOptions, 'projections' | 'store' | 'pools'> & Partial<ProjectorOptions>,
): Projector =>
  projector({
    vault,
    logger: silentLogger,
    clock: () => new Date(),
    instance: 'test',
    ...options,
  });

/** All rows of the test's tables, in order of their keys, as text. */
export const rowsOf = async (pools: DatabasePools): Promise<string> => {
  const { rows: sums } = await pools.projector.query('select * from rm.test_counter order by user_id');
  const { rows: lines } = await pools.projector.query('select * from rm.test_entry order by id');
  return JSON.stringify({ sums, lines }, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
};

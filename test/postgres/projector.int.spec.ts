import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import type { Projector } from '../../infra/postgres/projector.ts';
import { NO_STREAM } from '../../src/kernel/event-store.ts';
import { memoryEventStore, type MemoryEventStore } from '../support/memory-event-store.ts';
import { counted, counting, database, removed, testProjector, until } from './fixture.ts';

describe('projector', () => {
  let pools: DatabasePools;
  let drop: () => Promise<void>;
  let store: MemoryEventStore;
  let started: Projector[] = [];

  const begin = (options: Partial<Parameters<typeof testProjector>[0]> = {}): Projector => {
    const made = testProjector({ projections: [counting()], store, pools, ...options });
    made.start();
    started.push(made);
    return made;
  };
  const say = async (user: string, ...amounts: readonly bigint[]) =>
    store.append(
      `counter-${user}`,
      'any',
      amounts.map((amount) => counted(amount)),
    );

  beforeEach(async () => {
    ({ pools, drop } = await database());
    store = memoryEventStore();
  });
  afterEach(async () => {
    await Promise.all(started.map((each) => each.stop()));
    started = [];
    await drop();
  });

  it('writes what has happened and what happens', async () => {
    const user = randomUUID();
    await say(user, 1n, 2n);
    const it = begin();
    const { position } = await say(user, 39n);
    expect(await it.waitFor(position, { timeoutMs: 10_000 })).to.equal(true);
    const { rows } = await pools.projector.query('select total, events, at, last from rm.test_counter');
    expect(rows).to.deep.equal([
      { total: 42n, events: 3n, at: '2026-11-02T09:00:01.250000Z', last: { amount: '39', note: null } },
    ]);
    await store.append(`counter-${user}`, 2n, [removed()]);
    await until(async () => (await pools.projector.query('select from rm.test_counter')).rowCount === 0);
    expect(NO_STREAM).to.equal(-1n);
  });
});

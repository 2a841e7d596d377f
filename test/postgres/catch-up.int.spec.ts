import { expect } from 'chai';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import { verifyProjection } from '../../infra/postgres/verify-projection.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Position } from '../../src/kernel/event-store.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { counted, counters, counting, database, entries, testProjector, vault } from './fixture.ts';

const EVENTS = 100_000;
const USERS = 1000;

describe('catching up', function () {
  this.timeout(120_000);
  const store = memoryEventStore();
  const base = counting();
  let pools: DatabasePools;
  let drop: () => Promise<void>;
  let last: Position;

  before(async () => {
    ({ pools, drop } = await database());
    for (let done = 0; done < EVENTS; done += 100)
      ({ position: last } = await store.append(
        `counter-${uuidOf(`user ${(done / 100) % USERS}`)}`,
        'any',
        Array.from({ length: 100 }, () => counted(1n)),
      ));
  });
  after(() => drop());

  const kinds = {
    'sums only': counting({
      name: 'test_sums',
      tables: [counters],
      apply: (event) => base.apply(event).filter(({ table }) => table === counters),
    }),
    'a row an event': counting({
      name: 'test_lines',
      tables: [entries],
      apply: (event) => base.apply(event).filter(({ table }) => table === entries),
    }),
  };
  for (const [what, projection] of Object.entries(kinds))
    it(`reads ${EVENTS} events: ${what}`, async () => {
      const it = testProjector({ projections: [projection], store, pools });
      const since = performance.now();
      it.start();
      try {
        expect(await it.waitFor(last, { timeoutMs: 100_000 })).to.equal(true);
      } finally {
        await it.stop();
      }
      const seconds = (performance.now() - since) / 1000;
      console.log(`      ${what}: ${Math.round(EVENTS / seconds)} events a second`);
      const { right } = await verifyProjection(projection, { store, pools, vault });
      expect(right).to.equal(true);
    });
});

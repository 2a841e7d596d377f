import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { undoRebuild } from '../../infra/postgres/build-requests.ts';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import { CONTROL } from '../../infra/postgres/projection-state.ts';
import type { Projection } from '../../src/kernel/projection.ts';
import { defineTable } from '../../src/kernel/table.ts';
import type { MemoryEventStore } from '../support/memory-event-store.ts';
import { memoryLogger } from '../support/memory-logger.ts';
import { ada, bob, building, isLive, name, statusOf } from './building.ts';
import { counters, counting, entries, until } from './fixture.ts';

describe('read models of two releases', () => {
  const { parts, begin, end, say, reaches, sumAndCount, isRight } = building();
  let pools: DatabasePools;
  let store: MemoryEventStore;

  beforeEach(() => {
    ({ pools, store } = parts());
  });

  describe('with another release', () => {
    /** The same log, of which whoever reads from the beginning gets nothing until `goOn`, as if it were long. */
    const heldUp = () => {
      const held = Promise.withResolvers<undefined>();
      let readers = 0;
      const slow: MemoryEventStore = {
        ...store,
        subscribe: async function* (options) {
          if (options.from === undefined) readers += 1;
          for await (const items of store.subscribe(options)) {
            if (options.from === undefined) await held.promise;
            yield items;
          }
        },
      };
      return { slow, readers: () => readers, goOn: () => held.resolve(undefined) };
    };

    const doubled = (): Projection => {
      const base = counting();
      return counting({
        version: 2,
        apply: (event) =>
          base
            .apply(event)
            .map((op) => (op.op === 'add' ? { ...op, add: { ...op.add, total: op.add['total']! * 2n } } : op)),
      });
    };

    it('serves the rows that are there until those of the new version are whole', async () => {
      const first = begin();
      await reaches(first, await say(ada, 1n, 2n));
      await end(first);
      const next = doubled();
      const { slow, readers, goOn } = heldUp();
      const second = begin({ projections: [next], store: slow });
      await until(() => statusOf(second).building?.version === 2);
      expect(statusOf(second)).to.deep.include({ version: 1 });
      expect(await sumAndCount()).to.deep.equal([3n, 2n]);
      await reaches(second, await say(ada, 4n));
      // Looks at the state, of which there is one a second, leave the builder alone.
      await delay(2200);
      expect(readers()).to.equal(1);
      goOn();
      await until(() => statusOf(second).version === 2 && statusOf(second).building === null);
      expect(await sumAndCount()).to.deep.equal([14n, 3n]);
      await isRight(next);
    });

    /** Nobody has worked on the build for long. */
    const isAbandoned = () =>
      pools.projector.query(
        `update projector.state set updated_at = now() - interval '2 minutes' where name = 'test_counting@next'`,
      );

    const wider = defineTable({
      ...counters,
      columns: { ...counters.columns, extra: { type: 'bigint', default: '7' } },
    });
    const widened = (): Projection => {
      const base = counting();
      return counting({
        version: 2,
        tables: [wider, entries],
        apply: (event) => base.apply(event).map((op) => (op.table === counters ? { ...op, table: wider } : op)),
      });
    };

    it('lets the older release serve its tables until the new ones, of another form, are whole', async () => {
      const older = begin({ instance: 'older' });
      await reaches(older, await say(ada, 1n, 2n));
      const { slow, goOn } = heldUp();
      const newer = begin({ instance: 'newer', projections: [widened()], store: slow });
      await until(() => statusOf(newer).state === 'outdated' && statusOf(newer).building?.owner === 'newer');
      await reaches(older, await say(bob, 4n));
      expect(await sumAndCount()).to.deep.equal([7n, 3n]);
      goOn();
      await until(() => statusOf(newer).version === 2 && statusOf(newer).building === null);
      await end(older);
      await reaches(newer, await say(bob, 8n));
      await until(isLive(newer));
      const { rows } = await pools.appSystem.query('select extra, total from rm.test_counter order by total');
      expect(rows).to.deep.equal([
        { extra: 7n, total: 3n },
        { extra: 7n, total: 12n },
      ]);
      await isRight(widened());
    });

    it('builds its own alone when nobody serves the older form any more', async () => {
      const older = begin();
      await reaches(older, await say(ada, 1n, 2n));
      await end(older);
      const newer = begin({ projections: [widened()] });
      await until(() => statusOf(newer).version === 2 && statusOf(newer).state === 'live');
      await reaches(newer, await say(ada, 4n));
      expect(await sumAndCount()).to.deep.equal([7n, 3n]);
    });

    it('leaves a build to a newer release, unless that has gone for good', async () => {
      const first = begin();
      await reaches(first, await say(ada, 1n, 2n));
      await end(first);
      const newest = begin({ projections: [counting({ version: 3 })], store: heldUp().slow });
      await until(() => statusOf(newest).building?.owner === 'test');
      const middle = begin({ projections: [doubled()], instance: 'middle' });
      await delay(1500);
      expect(statusOf(middle).building?.version).to.equal(3);
      await end(newest);
      await delay(1500);
      expect(statusOf(middle)).to.deep.include({ version: 1, state: 'live' });
      expect(statusOf(middle).building?.version).to.equal(3);
      await isAbandoned();
      await until(() => statusOf(middle).version === 2);
      await isRight(doubled());
    });

    it('says once that a newer release has the tables, however often it looks', async () => {
      const newer = begin({ projections: [doubled()], instance: 'newer' });
      await reaches(newer, await say(ada, 1n));
      await end(newer);
      const { logger, lines } = memoryLogger();
      begin({ logger, instance: 'older' });
      const standingBy = (): number => lines.filter(({ message }) => message.includes('standing by')).length;
      await until(() => standingBy() > 0);
      // Each makes it look at once.
      for (let look = 0; look < 3; look += 1) {
        await pools.projector.query('select pg_notify($1, $2)', [CONTROL, name]);
        await delay(200);
      }
      expect(standingBy()).to.equal(1);
    });

    it('goes back to the older release and its tables, which that has kept up to date alone', async () => {
      const older = begin({ instance: 'older' });
      await reaches(older, await say(ada, 1n, 2n));
      await until(isLive(older));
      const newer = begin({ projections: [doubled()], instance: 'newer' });
      await until(() => statusOf(newer).version === 2 && isLive(newer)() && statusOf(newer).owner === 'newer');
      await reaches(newer, await say(ada, 4n));
      expect(await sumAndCount()).to.deep.equal([14n, 3n]);
      expect(await undoRebuild(pools.projector, doubled())).to.deep.equal({
        kind: 'other',
        version: 1,
        isMixed: false,
      });
      await end(newer);
      expect(await undoRebuild(pools.projector, counting())).to.include({ kind: 'begun' });
      await until(() => statusOf(older).version === 1 && statusOf(older).building === null);
      await until(isLive(older));
      await reaches(older, await say(ada, 8n));
      expect(await sumAndCount()).to.deep.equal([15n, 4n]);
      await isRight();
    });

    it('never takes rows for right that two releases have written', async () => {
      const first = begin();
      await reaches(first, await say(ada, 1n, 2n));
      await end(first);
      const second = begin({ projections: [doubled()], store: heldUp().slow });
      await until(() => statusOf(second).building?.owner === 'test');
      // Written by the new release over the rows of the old one.
      await reaches(second, await say(ada, 4n));
      expect(await sumAndCount()).to.deep.equal([11n, 3n]);
      await end(second);
      const { generation } = statusOf(second);
      await isAbandoned();
      const back = begin();
      await until(() => statusOf(back).generation !== generation && isLive(back)() && statusOf(back).building === null);
      expect(await sumAndCount()).to.deep.equal([7n, 3n]);
      await isRight();
      expect(await undoRebuild(pools.projector, counting())).to.deep.include({ kind: 'other', isMixed: true });
    });
  });
});

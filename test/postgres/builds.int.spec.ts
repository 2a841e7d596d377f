import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { cancelBuild, pauseBuild, requestRebuild, undoRebuild } from '../../infra/postgres/build-requests.ts';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import { verifyProjection } from '../../infra/postgres/verify-projection.ts';
import type { RowOp } from '../../src/kernel/projection.ts';
import type { MemoryEventStore } from '../support/memory-event-store.ts';
import { ada, bob, building, isExchanged, isLive, many, name, statusOf } from './building.ts';
import { counting, rowsOf, until, vault } from './fixture.ts';

describe('building read models beside those in use', () => {
  const { parts, begin, end, say, reaches, live, longRead, sumAndCount, isRight, tablesIn } = building();
  let pools: DatabasePools;
  let store: MemoryEventStore;

  beforeEach(() => {
    ({ pools, store } = parts());
  });

  describe('on request', () => {
    it('never shows readers less than before, or nothing, while events keep coming', async () => {
      const { it, generation } = await live(many(400), { limits: { max: 20, linger: 5 } });
      const reading = new AbortController();
      const seen: (readonly [bigint, bigint])[] = [];
      const reader = (async () => {
        while (!reading.signal.aborted) seen.push(await sumAndCount());
      })();
      const writer = (async () => {
        while (!reading.signal.aborted) {
          await reaches(it, await say(bob, 1n, 1n));
        }
      })();
      expect(await requestRebuild(pools.projector, name, 2000)).to.be.a('bigint');
      await until(() => statusOf(it).building !== null);
      await until(isExchanged(it, generation));
      await delay(100);
      reading.abort();
      await Promise.all([reader, writer]);
      expect(seen.length).to.be.greaterThan(20);
      seen.forEach(([total, events], index) => {
        const [before, eventsBefore] = seen[index - 1] ?? [400n, 400n];
        expect(total >= before && events >= eventsBefore, `${before} and then ${total}`).to.equal(true);
      });
      await isRight();
    });

    it('puts right what was wrong, and keeps what it has replaced', async () => {
      const { it, generation } = await live([1n, 2n]);
      await pools.projector.query('update rm.test_counter set total = 1000');
      expect(await it.rebuild(name)).to.equal(true);
      await until(isExchanged(it, generation));
      expect(await sumAndCount()).to.deep.equal([3n, 2n]);
      expect(statusOf(it).replaced).to.deep.equal({ version: 1, position: '2' });
      expect(await tablesIn('rm_old')).to.deep.equal(['test_counter', 'test_entry']);
      expect(await tablesIn('rm_next')).to.deep.equal([]);
      await reaches(it, await say(ada, 4n));
      expect(await sumAndCount()).to.deep.equal([7n, 3n]);
      // Again, over what is kept.
      const again = statusOf(it).generation;
      await it.rebuild(name);
      await until(isExchanged(it, again));
      await reaches(it, await say(ada, 8n));
      expect(await sumAndCount()).to.deep.equal([15n, 4n]);
      await isRight();
    });

    it('goes on where it was when its builder is gone, and is built by one of several', async () => {
      const { it: first, generation } = await live(many(300), { instance: 'first', limits: { max: 10, linger: 0 } });
      await requestRebuild(pools.projector, name, 100);
      await until(() => (statusOf(first).building?.events ?? 0) >= 20);
      await end(first);
      const reached = await pools.projector.query<{ events: bigint }>(
        `select events from projector.state where name = 'test_counting@next'`,
      );
      const done = Number(reached.rows[0]!.events);
      expect(done).to.be.within(20, 290);
      await pools.projector.query(
        `update projector.state set most_per_second = null where name = 'test_counting@next'`,
      );
      const handled: string[] = [];
      const base = counting();
      const watching = counting({
        apply: (event) => {
          handled.push(event.id);
          return base.apply(event);
        },
      });
      const others = ['second', 'third'].map((instance) => begin({ instance, projections: [watching] }));
      await until(isExchanged(others[0]!, generation));
      expect(handled).to.have.length(300 - done);
      await isRight();
    });

    it('waits for readers that take long, and lets others read meanwhile', async () => {
      const { it, generation } = await live([1n, 2n]);
      const done = await longRead();
      await it.rebuild(name);
      await until(() => statusOf(it).building?.state === 'live');
      await delay(1500);
      expect(statusOf(it).generation).to.equal(generation);
      expect(await sumAndCount()).to.deep.equal([3n, 2n]);
      await reaches(it, await say(ada, 4n));
      await done();
      await until(isExchanged(it, generation));
      expect(await sumAndCount()).to.deep.equal([7n, 3n]);
      await isRight();
    });

    it('rests when paused, goes on when told, and is gone without a trace when given up', async () => {
      const { it, generation } = await live(many(200), { limits: { max: 10, linger: 0 } });
      await requestRebuild(pools.projector, name, 100);
      await until(() => (statusOf(it).building?.events ?? 0) > 0);
      expect(await pauseBuild(pools.projector, name, true)).to.equal(true);
      await until(() => statusOf(it).building?.state === 'paused' && statusOf(it).building?.owner === null);
      const rested = statusOf(it).building!.events;
      await delay(1200);
      expect(statusOf(it).building!.events).to.equal(rested);
      expect(await pauseBuild(pools.projector, name, false)).to.equal(true);
      await until(() => (statusOf(it).building?.events ?? 0) > rested);
      expect(await cancelBuild(pools.projector, name)).to.equal(true);
      await until(() => statusOf(it).building === null);
      expect(await tablesIn('rm_next')).to.deep.equal([]);
      expect(await cancelBuild(pools.projector, name)).to.equal(false);
      expect(await pauseBuild(pools.projector, name, true)).to.equal(false);
      await reaches(it, await say(ada, 1n));
      expect(statusOf(it).generation).to.equal(generation);
      await isRight();
    });

    it('does not disturb a verification that is under way', async () => {
      const { it, generation } = await live([1n, 2n]);
      const held = Promise.withResolvers<undefined>();
      const begun = Promise.withResolvers<undefined>();
      const readAll: MemoryEventStore['readAll'] = async (options) => {
        begun.resolve(undefined);
        await held.promise;
        return store.readAll(options);
      };
      const verifying = verifyProjection(counting(), { store: { readAll }, pools, vault });
      await begun.promise;
      await it.rebuild(name);
      await until(() => statusOf(it).building?.state === 'live');
      await reaches(it, await say(ada, 4n));
      await delay(500);
      held.resolve(undefined);
      const { right, tables } = await verifying;
      expect(right, JSON.stringify(tables)).to.equal(true);
      await until(isExchanged(it, generation));
      await isRight();
    });

    it('keeps an event that it cannot apply from readers', async () => {
      let broken = false;
      const base = counting();
      const breaking = counting({
        apply: (event): readonly RowOp[] => {
          if (broken && event.position.commit === 2n) throw new RangeError('broken');
          return base.apply(event);
        },
      });
      const { it, generation } = await live([1n, 2n, 4n], { projections: [breaking] });
      broken = true;
      await it.rebuild(name);
      await until(() => statusOf(it).building?.state === 'failed');
      expect(statusOf(it).building?.failure).to.deep.include({ position: '2', eventType: 'Counted' });
      expect(statusOf(it)).to.deep.include({ state: 'live', failure: null, generation });
      await reaches(it, await say(ada, 8n));
      expect(await sumAndCount()).to.deep.equal([15n, 4n]);
      broken = false;
      await until(isExchanged(it, generation));
      await isRight();
    });

    it('shows what is built, and what was replaced, to nobody', async () => {
      const { it, generation } = await live([1n]);
      await it.rebuild(name);
      await until(isExchanged(it, generation));
      for (const pool of [pools.appUser, pools.appSystem]) {
        const refused = await pool.query('select * from rm_old.test_counter').catch((error: unknown) => error);
        expect(refused).to.be.instanceOf(Error).with.property('code', '42501');
      }
      expect(await it.forgetBeside()).to.equal(true);
      expect(await tablesIn('rm_old')).to.deep.equal([]);
      await until(() => statusOf(it).replaced === null);
    });
  });

  describe('back to what was replaced', () => {
    it('is what a rebuild does not take for its own, and what a request before it does not undo', async () => {
      const it = begin();
      await reaches(it, await say(ada, 1n, 2n));
      await until(isLive(it));
      const first = statusOf(it).generation;
      await it.rebuild(name);
      await until(isExchanged(it, first));
      await pools.projector.query('update rm_old.test_counter set total = 1000');
      await end(it);
      await requestRebuild(pools.projector, name);
      expect(await undoRebuild(pools.projector, counting())).to.include({ kind: 'begun' });
      const back = begin();
      await until(() => statusOf(back).state === 'live' && statusOf(back).building === null);
      expect(await sumAndCount()).to.deep.equal([1000n, 2n]);
      await end(back);
      await undoRebuild(pools.projector, counting());
      await requestRebuild(pools.projector, name);
      const again = begin();
      const { generation } = statusOf(again);
      await until(isExchanged(again, generation));
      await until(async () => (await sumAndCount())[0] === 3n);
      await isRight();
    });

    it('catches up first, and is a way forth again', async () => {
      const it = begin();
      await reaches(it, await say(ada, 1n, 2n));
      await until(isLive(it));
      expect(await undoRebuild(pools.projector, counting())).to.deep.equal({ kind: 'nothing' });
      const first = statusOf(it).generation;
      await it.rebuild(name);
      await until(isExchanged(it, first));
      await reaches(it, await say(ada, 4n));
      const before = await rowsOf(pools);
      // What was built turns out to be wrong.
      await pools.projector.query('update rm.test_counter set total = 1000');
      const second = statusOf(it).generation;
      expect(await undoRebuild(pools.projector, counting())).to.include({ kind: 'begun' });
      await until(isExchanged(it, second));
      expect(await rowsOf(pools)).to.equal(before);
      await isRight();
      const third = statusOf(it).generation;
      await undoRebuild(pools.projector, counting());
      await until(isExchanged(it, third));
      expect(await sumAndCount()).to.deep.equal([1000n, 3n]);
    });
  });
});

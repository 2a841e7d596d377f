import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { cancelBuild, pauseBuild, requestRebuild } from '../../infra/postgres/build-requests.ts';
import { prepareBeside } from '../../infra/postgres/beside.ts';
import { FencedError } from '../../infra/postgres/feeding.ts';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import { prepare } from '../../infra/postgres/prepare.ts';
import { swap } from '../../infra/postgres/swap.ts';
import type { MemoryEventStore } from '../support/memory-event-store.ts';
import { ada, building, isExchanged, isLive, many, name, statusOf } from './building.ts';
import { counting, until, vault } from './fixture.ts';

describe('exchanging read models', () => {
  const { parts, begin, end, say, reaches, live, longRead, sumAndCount, isRight, tablesIn } = building();
  let pools: DatabasePools;
  let store: MemoryEventStore;

  beforeEach(() => {
    ({ pools, store } = parts());
  });

  describe('at the moment of the exchange', () => {
    const wish = { owner: 'test', target: undefined };

    /** Tables that are built but empty, and an exchange that stops in its middle until it may go on. */
    const heldExchange = async () => {
      const first = begin();
      await reaches(first, await say(ada, 1n, 2n));
      await end(first);
      await requestRebuild(pools.projector, name);
      await prepare(pools.projector, counting(), wish);
      const beside = await prepareBeside(pools.projector, counting(), wish);
      const reached = Promise.withResolvers<undefined>();
      const held = Promise.withResolvers<undefined>();
      const readAll: MemoryEventStore['readAll'] = async (options) => {
        reached.resolve(undefined);
        await held.promise;
        return store.readAll(options);
      };
      const swapping = swap(counting(), beside!.place, { store: { readAll }, pools, vault, owner: 'test' });
      await reached.promise;
      return { swapping, goOn: () => held.resolve(undefined) };
    };

    it('lets nobody take the tables for missing', async () => {
      const { swapping, goOn } = await heldExchange();
      const others = Promise.all([prepare(pools.projector, counting(), wish), requestRebuild(pools.projector, name)]);
      await delay(200);
      goOn();
      expect(await swapping).to.equal('swapped');
      const [place, generation] = await others;
      expect(place.position?.commit).to.equal(2n);
      expect(generation).to.equal(place.generation + 1n);
      expect(await sumAndCount()).to.deep.equal([3n, 2n]);
    });

    it('is refused to one whose build was given up or paused meanwhile', async () => {
      const { swapping, goOn } = await heldExchange();
      goOn();
      await swapping;
      await requestRebuild(pools.projector, name);
      await prepare(pools.projector, counting(), wish);
      const { place } = (await prepareBeside(pools.projector, counting(), wish))!;
      const deps = { store, pools, vault, owner: 'test' };
      await pauseBuild(pools.projector, name, true);
      expect(await swap(counting(), place, deps).catch((error: unknown) => error)).to.be.instanceOf(FencedError);
      await cancelBuild(pools.projector, name);
      expect(await swap(counting(), place, deps).catch((error: unknown) => error)).to.be.instanceOf(FencedError);
      expect(await sumAndCount()).to.deep.equal([3n, 2n]);
    });

    it('does not put what is gone in the place of what is there', async () => {
      const { it, generation } = await live([1n, 2n]);
      const done = await longRead();
      await it.rebuild(name);
      await until(() => statusOf(it).building?.state === 'live');
      await until(async () => {
        await pools.projector.query('drop table rm_next.test_entry').catch(() => undefined);
        return (await tablesIn('rm_next')).length === 1;
      });
      await done();
      await until(isExchanged(it, generation));
      expect(await sumAndCount()).to.deep.equal([3n, 2n]);
      await isRight();
    });
  });

  describe('when somebody is to be forgotten', () => {
    it('is waited for while it is worked on, and emptied when it is not', async () => {
      const it = begin({ limits: { max: 10, linger: 0 } });
      await reaches(it, await say(ada, ...many(200)));
      await until(isLive(it));
      await requestRebuild(pools.projector, name, 20);
      await until(() => (statusOf(it).building?.owner ?? null) !== null);
      expect(await it.forgetBeside()).to.equal(false);
      await pauseBuild(pools.projector, name, true);
      await until(() => statusOf(it).building?.owner === null);
      expect(await it.forgetBeside()).to.equal(true);
      expect(await tablesIn('rm_next')).to.deep.equal([]);
      // It still rests, and begins anew when it goes on.
      await until(() => statusOf(it).building?.state === 'paused' && statusOf(it).building?.events === 0);
      const { generation } = statusOf(it);
      await pauseBuild(pools.projector, name, false);
      await until(isExchanged(it, generation));
      await isRight();
    });

    it('is found also where nothing tells of it any more', async () => {
      const { it: first, generation } = await live([1n]);
      await first.rebuild(name);
      await until(isExchanged(first, generation));
      await end(first);
      await pools.owner.query('drop schema projector cascade');
      const it = begin();
      await until(isLive(it));
      expect(await tablesIn('rm_old')).to.deep.equal(['test_counter', 'test_entry']);
      expect(await it.forgetBeside()).to.equal(true);
      expect(await tablesIn('rm_old')).to.deep.equal([]);
      expect(await sumAndCount()).to.deep.equal([1n, 1n]);
    });
  });
});

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { cancelBuild, pauseBuild, requestRebuild, undoRebuild } from '../../infra/postgres/build-requests.ts';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import type { ProjectionStatus } from '../../infra/postgres/projection-status.ts';
import type { Projector } from '../../infra/postgres/projector.ts';
import { verifyProjection } from '../../infra/postgres/verify-projection.ts';
import type { Position } from '../../src/kernel/event-store.ts';
import type { Projection, RowOp } from '../../src/kernel/projection.ts';
import { defineTable } from '../../src/kernel/table.ts';
import { memoryEventStore, type MemoryEventStore } from '../support/memory-event-store.ts';
import { counted, counters, counting, database, entries, rowsOf, testProjector, until, vault } from './fixture.ts';

describe('building read models beside those in use', () => {
  const ada = randomUUID();
  const bob = randomUUID();
  const name = 'test_counting';
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
  const many = (count: number): readonly bigint[] => Array.from({ length: count }, () => 1n);
  const reaches = async (which: Projector, position: Position): Promise<void> => {
    expect(await which.waitFor(position, { timeoutMs: 15_000 })).to.equal(true);
  };
  const statusOf = (which: Projector): ProjectionStatus => which.status()[0]!;
  const isLive = (which: Projector) => () => statusOf(which).state === 'live';
  const isExchanged = (which: Projector, before: string) => () =>
    statusOf(which).generation !== before && statusOf(which).state === 'live' && statusOf(which).building === null;
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

  beforeEach(async () => {
    ({ pools, drop } = await database());
    store = memoryEventStore();
  });
  afterEach(async () => {
    await Promise.all(started.map((each) => each.stop()));
    started = [];
    await drop();
  });

  describe('on request', () => {
    it('never shows readers less than before, or nothing, while events keep coming', async () => {
      const it = begin({ limits: { max: 20, linger: 5 } });
      await reaches(it, await say(ada, ...many(400)));
      await until(isLive(it));
      const { generation } = statusOf(it);
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
      const it = begin();
      await reaches(it, await say(ada, 1n, 2n));
      await until(isLive(it));
      const { generation } = statusOf(it);
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
      const first = begin({ instance: 'first', limits: { max: 10, linger: 0 } });
      await reaches(first, await say(ada, ...many(300)));
      await until(isLive(first));
      const { generation } = statusOf(first);
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
      const it = begin();
      await reaches(it, await say(ada, 1n, 2n));
      await until(isLive(it));
      const { generation } = statusOf(it);
      const slow = await pools.appSystem.connect();
      await slow.query('begin');
      await slow.query('select * from rm.test_counter');
      await it.rebuild(name);
      await until(() => statusOf(it).building?.state === 'live');
      await delay(1500);
      expect(statusOf(it).generation).to.equal(generation);
      expect(await sumAndCount()).to.deep.equal([3n, 2n]);
      await reaches(it, await say(ada, 4n));
      await slow.query('commit');
      slow.release();
      await until(isExchanged(it, generation));
      expect(await sumAndCount()).to.deep.equal([7n, 3n]);
      await isRight();
    });

    it('rests when paused, goes on when told, and is gone without a trace when given up', async () => {
      const it = begin({ limits: { max: 10, linger: 0 } });
      await reaches(it, await say(ada, ...many(200)));
      await until(isLive(it));
      const { generation } = statusOf(it);
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
      const it = begin();
      await reaches(it, await say(ada, 1n, 2n));
      await until(isLive(it));
      const { generation } = statusOf(it);
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
      const it = begin({ projections: [breaking] });
      await reaches(it, await say(ada, 1n, 2n, 4n));
      await until(isLive(it));
      const { generation } = statusOf(it);
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
      const it = begin();
      await reaches(it, await say(ada, 1n));
      await until(isLive(it));
      const { generation } = statusOf(it);
      await it.rebuild(name);
      await until(isExchanged(it, generation));
      for (const pool of [pools.appUser, pools.appSystem]) {
        const refused = await pool.query('select * from rm_old.test_counter').catch((error: unknown) => error);
        expect(refused).to.be.instanceOf(Error).with.property('code', '42501');
      }
      await it.forgetReplaced();
      expect(await tablesIn('rm_old')).to.deep.equal([]);
      await until(() => statusOf(it).replaced === null);
    });
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
      await pools.projector.query(
        `update projector.state set updated_at = now() - interval '6 minutes' where name = 'test_counting@next'`,
      );
      await until(() => statusOf(middle).version === 2);
      await isRight(doubled());
    });

    it('goes back to the older release and its tables', async () => {
      const older = begin();
      await reaches(older, await say(ada, 1n, 2n));
      await end(older);
      const newer = begin({ projections: [doubled()] });
      await until(() => statusOf(newer).version === 2 && isLive(newer)());
      await reaches(newer, await say(ada, 4n));
      expect(await undoRebuild(pools.projector, doubled())).to.deep.equal({ kind: 'other', version: 1 });
      await end(newer);
      const back = begin();
      await until(() => statusOf(back).version === 2);
      expect(await undoRebuild(pools.projector, counting())).to.include({ kind: 'begun' });
      await until(() => statusOf(back).version === 1 && statusOf(back).building === null);
      await until(isLive(back));
      await reaches(back, await say(ada, 8n));
      expect(await sumAndCount()).to.deep.equal([15n, 4n]);
      await isRight();
    });
  });

  describe('back to what was replaced', () => {
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

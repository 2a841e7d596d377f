import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import type { DatabasePools } from '../../infra/postgres/pools.ts';
import { StoreUnavailableError, type Position } from '../../src/kernel/event-store.ts';
import type { Event } from '../../src/kernel/message.ts';
import { defineProjection } from '../../src/kernel/projection.ts';
import { defineTable } from '../../src/kernel/table.ts';
import type { MemoryEventStore } from '../support/memory-event-store.ts';
import { ada, bob, building } from './building.ts';
import { counted, counting, metadata, removed, rowsOf, until } from './fixture.ts';

describe('projector', () => {
  const { parts, begin, end, say, reaches, isRight } = building();
  let pools: DatabasePools;
  let store: MemoryEventStore;

  beforeEach(() => {
    ({ pools, store } = parts());
  });

  const totals = async (): Promise<readonly (readonly [bigint, bigint])[]> => {
    const { rows } = await pools.projector.query<{ total: bigint; events: bigint }>(
      'select total, events from rm.test_counter order by total',
    );
    return rows.map(({ total, events }) => [total, events] as const);
  };
  const onServer = (text: string) => pools.owner.query(text);

  describe('at work', () => {
    it('writes what has happened and what happens', async () => {
      await say(ada, 1n, 2n);
      const it = begin();
      await reaches(it, await say(ada, 39n));
      const { rows } = await pools.projector.query('select total, events, at, last from rm.test_counter');
      expect(rows).to.deep.equal([
        { total: 42n, events: 3n, at: '2026-11-02T09:00:01.250000Z', last: { amount: '39', note: null } },
      ]);
      const { position } = await store.append(`counter-${ada}`, 2n, [removed()]);
      await reaches(it, position);
      expect(await totals()).to.deep.equal([]);
      await isRight();
    });

    it('is live on an empty log, and late by nothing', async () => {
      const it = begin();
      await until(() => it.status()[0]?.state === 'live');
      expect(it.status()[0]).to.deep.include({ lagSeconds: 0, position: null, owner: 'test', failure: null });
    });

    it('goes on where it was after a restart', async () => {
      const first = begin();
      await reaches(first, await say(ada, 1n));
      await end(first);
      await say(ada, 2n);
      const handled: string[] = [];
      const base = counting();
      const watching = counting({
        apply: (event) => {
          handled.push(event.id);
          return base.apply(event);
        },
      });
      const second = begin({ projections: [watching] });
      await reaches(second, await say(ada, 3n));
      expect(handled).to.have.length(2);
      expect(await totals()).to.deep.equal([[6n, 3n]]);
    });

    it('keeps texts that Postgres cannot hold from stopping it', async () => {
      const it = begin();
      const { position } = await store.append(`counter-${ada}`, 'any', [counted(1n, 'a\u0000b\ud800c')]);
      await reaches(it, position);
      const { rows } = await pools.projector.query('select note, last from rm.test_counter');
      expect(rows).to.deep.equal([{ note: 'a\ufffdb\ufffdc', last: { amount: '1', note: 'a\ufffdb\ufffdc' } }]);
      await isRight();
    });

    it('changes some columns of a row whose others are required', async () => {
      const people = defineTable({
        name: 'test_person',
        columns: { id: { type: 'text' }, email: { type: 'text' }, seen: { type: 'bigint', default: '0' } },
        key: ['id'],
      });
      type PersonEvent = Event<'Met' | 'Seen'>;
      const projection = defineProjection<PersonEvent>({
        name: 'test_people',
        version: 1,
        tables: [people],
        streamPrefixes: ['person-'],
        upcasters: {},
        on: {
          Met: ({ stream }) => [{ op: 'set', table: people, key: { id: stream }, set: { email: 'e' } }],
          Seen: ({ stream }) => [{ op: 'add', table: people, key: { id: stream }, add: { seen: 1n } }],
        },
      });
      const it = begin({ projections: [projection] });
      const tell = async (stream: string, type: string): Promise<Position> =>
        (await store.append(stream, 'any', [{ id: randomUUID(), type, data: {}, metadata: metadata() }])).position;
      await reaches(it, await tell('person-1', 'Met'));
      await reaches(it, await tell('person-1', 'Seen'));
      const { rows } = await pools.projector.query('select * from rm.test_person');
      expect(rows).to.deep.equal([{ id: 'person-1', email: 'e', seen: 1n }]);
      // A row that was never made is not passed over in silence.
      await tell('person-2', 'Seen');
      await until(() => it.status()[0]?.state === 'failed');
      expect(it.status()[0]?.failure?.cause).to.equal('sqlstate 23502 on test_person.email');
    });

    it('is at the end of the log also when the last events are not for it', async () => {
      const it = begin();
      await say(ada, 1n);
      const { position } = await store.append('other-1', 'any', [counted(1n)]);
      await reaches(it, position);
      await until(() => it.status()[0]?.position === position.commit.toString());
      expect(it.status()[0]?.lagSeconds).to.equal(0);
    });

    it('does not wait for projections that do not read a stream', async () => {
      const it = begin();
      const { position } = await store.append('other-1', 'any', [counted(1n)]);
      expect(await it.waitFor(position, { stream: 'other-1', timeoutMs: 0 })).to.equal(true);
    });

    it('answers false when the position is not reached in time', async () => {
      const it = begin();
      const beyond = { commit: 1_000_000n, prepare: 1_000_000n };
      expect(await it.waitFor(beyond, { timeoutMs: 30 })).to.equal(false);
    });
  });

  describe('with others', () => {
    it('lets one own and the others know', async () => {
      const first = begin({ instance: 'first' });
      await until(() => first.status()[0]?.state === 'live');
      const second = begin({ instance: 'second' });
      const third = begin({ instance: 'third', own: false });
      const position = await say(ada, 1n, 2n);
      await Promise.all([first, second, third].map((each) => reaches(each, position)));
      await until(() => third.status()[0]?.state === 'live');
      expect(third.status()[0]?.owner).to.equal('first');
      expect(await totals()).to.deep.equal([[3n, 2n]]);
    });

    it('takes over when the owner goes', async () => {
      const first = begin({ instance: 'first' });
      await reaches(first, await say(ada, 1n));
      const second = begin({ instance: 'second' });
      await end(first);
      await reaches(second, await say(ada, 2n));
      await until(() => second.status()[0]?.owner === 'second');
      expect(await totals()).to.deep.equal([[3n, 2n]]);
    });

    it('writes nothing twice when the owner loses its lock and does not know yet', async () => {
      const first = begin({ instance: 'first' });
      await reaches(first, await say(ada, 1n));
      const second = begin({ instance: 'second' });
      const saying = (async () => {
        let last = await say(bob, 1n);
        for (let round = 0; round < 20; round += 1) {
          // Ends every connection that holds a lock: owners change while events come.
          await onServer(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted
            and database = (select oid from pg_database where datname = current_database())`);
          last = await say(bob, 1n, 1n);
        }
        return last;
      })();
      const last = await saying;
      await reaches(first, last);
      await reaches(second, last);
      expect(await totals()).to.deep.equal([
        [1n, 1n],
        [41n, 41n],
      ]);
      await isRight();
    });
  });

  describe('killed and cut off', () => {
    it('loses and doubles nothing when stopped anywhere', async () => {
      const limits = { max: 3, linger: 0 };
      for (let round = 0; round < 8; round += 1) {
        const it = begin({ limits, instance: `life ${round}` });
        const position = await say(ada, ...Array.from({ length: 20 }, () => 1n));
        await until(async () => await it.waitFor({ commit: BigInt(round * 20 + 2), prepare: 0n }, { timeoutMs: 50 }));
        await end(it);
        expect(position.commit).to.equal(BigInt((round + 1) * 20));
      }
      await reaches(begin(), await say(ada, 1n));
      expect(await totals()).to.deep.equal([[161n, 161n]]);
      await isRight();
    });

    it('loses and doubles nothing when connections are cut in the middle', async () => {
      const it = begin({ limits: { max: 5, linger: 0 } });
      let last = await say(ada, 1n);
      for (let round = 0; round < 15; round += 1) {
        last = await say(ada, ...Array.from({ length: 20 }, () => 1n));
        await onServer(`select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name like '% projector' and pid <> pg_backend_pid()`);
      }
      await reaches(it, last);
      expect(await totals()).to.deep.equal([[301n, 301n]]);
      await isRight();
    });

    it('writes nothing twice that it is told of twice', async () => {
      const repeating: MemoryEventStore = {
        ...store,
        async *subscribe(options) {
          for await (const items of store.subscribe(options)) {
            yield items;
            yield items;
          }
        },
      };
      const it = begin({ store: repeating });
      await reaches(it, await say(ada, 1n, 2n));
      await reaches(it, await say(bob, 4n));
      expect(await totals()).to.deep.equal([
        [3n, 2n],
        [4n, 1n],
      ]);
    });

    it('begins anew when its events do not come any more, whatever holds them up', async () => {
      let subscriptions = 0;
      const deaf: MemoryEventStore = {
        ...store,
        async *subscribe(options) {
          subscriptions += 1;
          const isDeaf = subscriptions === 1;
          for await (const items of store.subscribe(options)) {
            if (isDeaf && items.some(({ kind }) => kind === 'event')) await new Promise(() => undefined);
            yield items;
          }
        },
      };
      const it = begin({ store: deaf, standstillMs: 100 });
      await until(() => it.status()[0]?.state === 'live');
      await reaches(it, await say(ada, 1n, 2n));
      expect(subscriptions).to.equal(2);
      expect(await totals()).to.deep.equal([[3n, 2n]]);
    });

    it('waits for an event store that is away', async () => {
      const it = begin();
      await reaches(it, await say(ada, 1n));
      store.outage(true);
      expect(await store.ping().catch((error: unknown) => error)).to.be.instanceOf(StoreUnavailableError);
      store.outage(false);
      await reaches(it, await say(ada, 2n));
      expect(await totals()).to.deep.equal([[3n, 2n]]);
      expect(it.status()[0]?.failure).to.equal(null);
    });
  });

  describe('when tables go', () => {
    const drops = {
      'one table': 'drop table rm.test_counter',
      'the schema of the read models': 'drop schema rm cascade',
      'the schema of the projector': 'drop schema projector cascade',
      'both schemas': 'drop schema rm cascade; drop schema projector cascade',
      'a column': 'alter table rm.test_counter drop column note',
      'forced security': 'alter table rm.test_counter no force row level security',
    };
    for (const [what, statement] of Object.entries(drops))
      it(`builds them anew at the next start: ${what}`, async () => {
        const first = begin();
        await reaches(first, await say(ada, 1n, 2n));
        const before = await rowsOf(pools);
        await end(first);
        await onServer(statement);
        const second = begin();
        await until(async () => {
          await second.waitFor({ commit: 2n, prepare: 2n }, { timeoutMs: 20 });
          return (await rowsOf(pools).catch(() => '')) === before;
        });
        await reaches(second, await say(ada, 3n));
        expect(await totals()).to.deep.equal([[6n, 3n]]);
        await isRight();
      });

    for (const what of [
      'one table',
      'the schema of the read models',
      'the schema of the projector',
      'both schemas',
    ] as const)
      it(`builds them anew while running: ${what}`, async () => {
        const it = begin();
        await reaches(it, await say(ada, 1n, 2n));
        const before = await rowsOf(pools);
        await onServer(drops[what]);
        await until(async () => (await rowsOf(pools).catch(() => '')) === before);
        await until(() => it.status()[0]?.state === 'live');
        await reaches(it, await say(ada, 3n));
        await until(async () => (await totals())[0]?.[0] === 6n);
        await isRight();
      });
  });

  describe('when the definition changes', () => {
    it('builds a new version from the beginning and forgets tables that it no longer has', async () => {
      const first = begin();
      await reaches(first, await say(ada, 1n, 2n));
      await end(first);
      const [sums] = counting().tables;
      const base = counting();
      const next = counting({
        version: 2,
        tables: base.tables.filter((table) => table === sums),
        apply: (event) => base.apply(event).filter(({ table }) => table === sums),
      });
      const second = begin({ projections: [next] });
      await until(() => second.status()[0]?.version === 2 && second.status()[0]?.state === 'live');
      await reaches(second, await say(ada, 3n));
      expect(await totals()).to.deep.equal([[6n, 3n]]);
      const { rows } = await pools.projector.query(`select to_regclass('rm.test_entry') as there`);
      expect(rows).to.deep.equal([{ there: null }]);
    });

    it('stands by while a newer release owns the tables, until a rebuild is asked for', async () => {
      const newer = begin({ projections: [counting({ version: 2 })] });
      await reaches(newer, await say(ada, 1n));
      await end(newer);
      const older = begin();
      await until(() => older.status()[0]?.version === 2);
      expect(await older.waitFor(await say(ada, 2n), { timeoutMs: 300 })).to.equal(false);
      expect(await totals()).to.deep.equal([[1n, 1n]]);
      expect(await older.rebuild('test_counting')).to.equal(true);
      await until(() => older.status()[0]?.version === 1 && older.status()[0]?.state === 'live');
      expect(await totals()).to.deep.equal([[3n, 2n]]);
    });

    it('is rebuilt in place on request', async () => {
      const it = begin();
      await reaches(it, await say(ada, 1n, 2n));
      await pools.projector.query('update rm.test_counter set total = 1000');
      const generation = it.status()[0]?.generation;
      expect(await it.rebuild('test_counting')).to.equal(true);
      await until(() => it.status()[0]?.generation !== generation && it.status()[0]?.state === 'live');
      expect(await totals()).to.deep.equal([[3n, 2n]]);
      expect(await it.rebuild('nothing')).to.equal(false);
    });
  });

  describe('when an event cannot be applied', () => {
    const secret = 'ada@example.test';
    const base = counting();
    const failing = (error: () => Error) =>
      counting({
        apply: (event) => {
          if ((event.data as { note?: unknown }).note === secret) throw error();
          return base.apply(event);
        },
      });
    const other = counting({ name: 'test_other', tables: [], apply: () => [] });

    it('stops there and says so, while others go on, and goes on with a build that can', async () => {
      const first = begin({ projections: [failing(() => new TypeError(secret)), other] });
      await say(ada, 1n);
      const { position } = await store.append(`counter-${ada}`, 'any', [counted(2n), counted(4n, secret)]);
      const last = await say(ada, 8n);
      await until(() => first.status()[0]?.state === 'failed');
      expect(await first.waitFor(last, { names: ['test_other'], timeoutMs: 10_000 })).to.equal(true);
      expect(await first.waitFor(last, { timeoutMs: 10_000 })).to.equal(false);
      // What came before the event is there.
      expect(await totals()).to.deep.equal([[3n, 2n]]);
      const { failure } = first.status()[0]!;
      expect(failure).to.deep.include({ position: position.commit.toString(), eventType: 'Counted', attempts: 1 });
      expect(failure?.cause).to.match(/^TypeError at [\w./-]+\.ts:\d+$/);
      const { rows } = await pools.projector.query('select * from projector.parked');
      expect(JSON.stringify(rows, (_, value: unknown) => String(value))).not.to.include(secret);
      await end(first);

      const second = begin({ projections: [counting(), other] });
      await until(() => second.waitFor(last, { timeoutMs: 100 }));
      expect(await totals()).to.deep.equal([[15n, 4n]]);
      await until(() => second.status()[0]?.state === 'live');
      expect(second.status()[0]?.failure).to.equal(null);
    });

    it('finds the event that the database refuses, and tries it again by itself', async () => {
      let healed = false;
      const refused = counting({
        apply: (event) =>
          base
            .apply(event)
            .map((op) =>
              op.op === 'insert' && !healed && op.row['amount'] === 4n
                ? { ...op, row: { ...op.row, amount: null } }
                : op,
            ),
      });
      await say(ada, 1n, 2n, 4n, 8n);
      const it = begin({ projections: [refused] });
      await until(() => it.status()[0]?.state === 'failed');
      expect(it.status()[0]?.failure).to.deep.include({ position: '3', cause: 'sqlstate 23502 on test_entry.amount' });
      expect(await totals()).to.deep.equal([[3n, 2n]]);
      healed = true;
      await until(async () => (await totals())[0]?.[0] === 15n);
      await isRight();
    });
  });
});

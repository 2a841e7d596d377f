import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import {
  comparePositions,
  isRevisionConflict,
  NO_STREAM,
  type EventStore,
  type FeedItem,
  type NewEvent,
} from '../../src/kernel/event-store.ts';

const event = (type = 'Happened', data: unknown = { n: 1 }): NewEvent => ({
  id: randomUUID(),
  type,
  data,
  metadata: { hash: 'h', schemaVersion: 1 },
});

const events = (count: number): readonly NewEvent[] => Array.from({ length: count }, (_, n) => event('Counted', { n }));

/** Takes from a subscription until `enough`; the test's own limit ends a wait that never does. */
const collect = async (
  store: EventStore,
  options: Omit<Parameters<EventStore['subscribe']>[0], 'signal'>,
  enough: (items: readonly FeedItem[]) => boolean,
): Promise<readonly FeedItem[]> => {
  const stop = new AbortController();
  const items: FeedItem[] = [];
  for await (const arrived of store.subscribe({ ...options, signal: stop.signal })) {
    items.push(...arrived);
    if (enough(items)) stop.abort();
  }
  return items;
};

const numbersOf = (items: readonly FeedItem[]): readonly unknown[] =>
  items.flatMap((item) => (item.kind === 'event' ? [(item.event.data as { n: unknown }).n] : []));

/** What every event store must do for this application, in memory and for real. */
export const eventStoreContract = (name: string, open: () => Promise<EventStore>): void => {
  describe(`event store: ${name}`, () => {
    let store: EventStore;
    const fresh = (prefix = 'thing'): string => `${prefix}-${randomUUID()}`;

    before(async function () {
      this.timeout(20_000);
      store = await open();
    });

    it('keeps id, type, data, metadata and order', async () => {
      const stream = fresh();
      const added = [event('First', { text: 'ä', deep: { list: [1, null] } }), event('Second')];
      const { revision } = await store.append(stream, NO_STREAM, added);
      expect(revision).to.equal(1n);
      const read = await store.read(stream);
      expect(read.map(({ id, type, data, metadata }) => ({ id, type, data, metadata }))).to.deep.equal(added);
      expect(read.map((stored) => stored.revision)).to.deep.equal([0n, 1n]);
      const [first, second] = read;
      if (first === undefined || second === undefined) throw new Error('two events');
      expect(comparePositions(first.position, second.position)).to.be.lessThan(0);
    });

    it('has nothing in a stream that does not exist', async () => {
      expect(await store.read(fresh())).to.deep.equal([]);
    });

    it('reads on from a revision, backwards, and no more than asked', async () => {
      const stream = fresh();
      await store.append(stream, NO_STREAM, events(5));
      const numbers = async (options: Parameters<EventStore['read']>[1]) =>
        (await store.read(stream, options)).map(({ revision }) => Number(revision));
      expect(await numbers({ from: 3n })).to.deep.equal([3, 4]);
      expect(await numbers({ from: 5n })).to.deep.equal([]);
      expect(await numbers({ backwards: true, maxCount: 2 })).to.deep.equal([4, 3]);
      expect(await numbers({ maxCount: 1 })).to.deep.equal([0]);
    });

    it('refuses an append at another revision and adds nothing', async () => {
      const stream = fresh();
      await store.append(stream, NO_STREAM, [event()]);
      for (const expected of [NO_STREAM, 1n, 7n]) {
        const error = await store.append(stream, expected, [event()]).catch((thrown: unknown) => thrown);
        expect(isRevisionConflict(error), expected.toString()).to.equal(true);
      }
      expect(await store.read(stream)).to.have.length(1);
    });

    it('answers a repeated append with success and adds nothing', async () => {
      const stream = fresh();
      const [one, two] = [events(2), events(1)];
      const first = await store.append(stream, NO_STREAM, one);
      await store.append(stream, 1n, two);
      expect((await store.append(stream, NO_STREAM, one)).revision).to.equal(first.revision);
      expect((await store.append(stream, 1n, two)).revision).to.equal(2n);
      expect(await store.read(stream)).to.have.length(3);
    });

    it('lets one of many rivals win', async () => {
      const stream = fresh();
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, () => store.append(stream, NO_STREAM, [event()])),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(1);
      expect(await store.read(stream)).to.have.length(1);
    });

    it('knows the end of the log and reads all of it in pages, without the events of the store itself', async () => {
      const prefix = `pages${randomUUID().replaceAll('-', '')}`;
      const before = await store.head();
      for (let n = 0; n < 7; n += 1) await store.append(`${prefix}-${n}`, NO_STREAM, [event('Counted', { n })]);
      await store.append(`${prefix}-7`, NO_STREAM, [event('$system')]);
      const filter = { streamPrefixes: [`${prefix}-`] };
      const from = before === undefined ? {} : { from: before };
      const page = await store.readAll({ ...from, maxCount: 5, filter });
      const last = page.at(-1);
      if (last === undefined) throw new Error('a page');
      const rest = await store.readAll({ from: last.position, maxCount: 5, filter });
      expect([...page, ...rest].map(({ data }) => (data as { n: number }).n)).to.deep.equal([0, 1, 2, 3, 4, 5, 6]);
      const head = await store.head();
      expect(head !== undefined && comparePositions(head, last.position) > 0).to.equal(true);
    });

    it('hands a subscriber everything once and in order, over the seam between old and new', async () => {
      const prefix = `seam${randomUUID().replaceAll('-', '')}`;
      const total = 300;
      const writing = (async () => {
        for (let n = 0; n < total; n += 1) {
          await store.append(`${prefix}-${n % 7}`, BigInt(Math.floor(n / 7)) - 1n, [event('Counted', { n })]);
        }
      })();
      const filter = { streamPrefixes: [`${prefix}-`] };
      const items = await collect(store, { filter }, (taken) => numbersOf(taken).length >= total);
      await writing;
      expect(numbersOf(items)).to.deep.equal(Array.from({ length: total }, (_, n) => n));
    });

    it('resumes after a position', async () => {
      const prefix = `resume${randomUUID().replaceAll('-', '')}`;
      for (let n = 0; n < 6; n += 1) await store.append(`${prefix}-${n}`, NO_STREAM, [event('Counted', { n })]);
      const filter = { streamPrefixes: [`${prefix}-`] };
      const [, , third] = await store.readAll({ maxCount: 3, filter });
      if (third === undefined) throw new Error('three events');
      const items = await collect(store, { from: third.position, filter }, (taken) => numbersOf(taken).length >= 3);
      expect(numbersOf(items)).to.deep.equal([3, 4, 5]);
    });

    it('tells a subscriber that it has caught up', async () => {
      const prefix = `caught${randomUUID().replaceAll('-', '')}`;
      await store.append(`${prefix}-1`, NO_STREAM, [event()]);
      const filter = { streamPrefixes: [`${prefix}-`] };
      const items = await collect(store, { filter }, (taken) => taken.some(({ kind }) => kind === 'caught-up'));
      expect(items.map(({ kind }) => kind).filter((kind) => kind !== 'checkpoint')).to.deep.equal([
        'event',
        'caught-up',
      ]);
    });

    it('keeps only the newest events of a disposable stream', async () => {
      const stream = fresh('snapshot');
      await store.append(stream, 'any', events(3));
      await store.keepLast(stream, 1);
      expect(
        (await store.read(stream, { backwards: true, maxCount: 5 })).map(({ revision }) => revision),
      ).to.deep.equal([2n]);
    });

    it('answers a ping', () => store.ping());
  });
};

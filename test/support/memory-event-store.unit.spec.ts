import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import {
  isRevisionConflict,
  isStoreUnavailable,
  NO_STREAM,
  type FeedItem,
  type Subscription,
  type NewEvent,
} from '../../src/kernel/event-store.ts';
import { memoryEventStore } from './memory-event-store.ts';

const event = (type: string, id: string = randomUUID()): NewEvent => ({ id, type, data: { type }, metadata: {} });

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

const collect = async (feed: Subscription, enough: (items: readonly FeedItem[]) => boolean) => {
  const items: FeedItem[] = [];
  for await (const arrived of feed) {
    items.push(...arrived);
    if (enough(items)) break;
  }
  return items;
};

describe('the memory event store', () => {
  it('reads a stream forwards and backwards, from a revision', async () => {
    const store = memoryEventStore();
    const answer = await store.append('a-1', NO_STREAM, [event('One'), event('Two'), event('Three')]);
    expect(answer.revision).to.equal(2n);
    const types = async (options: Parameters<typeof store.read>[1]) =>
      (await store.read('a-1', options)).map(({ type }) => type);
    expect(await types({})).to.deep.equal(['One', 'Two', 'Three']);
    expect(await types({ from: 1n })).to.deep.equal(['Two', 'Three']);
    expect(await types({ backwards: true, maxCount: 2 })).to.deep.equal(['Three', 'Two']);
    expect(await store.read('a-2')).to.deep.equal([]);
  });

  it('refuses an append at another revision, and repeats an equal one without adding', async () => {
    const store = memoryEventStore();
    const [first, second] = [event('One'), event('Two')];
    const answer = await store.append('a-1', NO_STREAM, [first]);
    await store.append('a-1', 0n, [second]);
    expect(isRevisionConflict(await failure(store.append('a-1', 0n, [event('Late')])))).to.equal(true);
    expect(isRevisionConflict(await failure(store.append('a-1', 5n, [event('Early')])))).to.equal(true);
    expect(await store.append('a-1', NO_STREAM, [first])).to.deep.equal(answer);
    expect((await store.append('a-1', 'any', [second])).revision).to.equal(1n);
    expect(store.log()).to.have.length(2);
  });

  it('reads the whole log after a position, filtered by the names of streams', async () => {
    const store = memoryEventStore();
    const { position } = await store.append('a-1', 'any', [event('One')]);
    await store.append('b-1', 'any', [event('Two')]);
    await store.append('$system', 'any', [event('Hidden')]);
    const types = async (options: Parameters<typeof store.readAll>[0]) =>
      (await store.readAll(options)).map(({ type }) => type);
    expect(await types({ maxCount: 9 })).to.deep.equal(['One', 'Two']);
    expect(await types({ from: position, maxCount: 9 })).to.deep.equal(['Two']);
    expect(await types({ maxCount: 9, filter: { streamPrefixes: ['a-'] } })).to.deep.equal(['One']);
  });

  it('feeds a subscription with what is there, then with what comes', async () => {
    const store = memoryEventStore();
    const stop = new AbortController();
    await store.append('a-1', 'any', [event('One')]);
    const feed = store.subscribe({ filter: { streamPrefixes: ['a-'] }, signal: stop.signal });
    const collected = collect(feed, (items) =>
      items.some((item) => item.kind === 'event' && item.event.type === 'Two'),
    );
    await store.append('b-1', 'any', [event('Other')]);
    await store.append('a-1', 'any', [event('Two')]);
    const kinds = (await collected).map((item) => (item.kind === 'event' ? item.event.type : item.kind));
    expect(kinds.filter((kind) => kind !== 'checkpoint')).to.deep.equal(['One', 'caught-up', 'Two']);
  });

  it('ends a subscription when asked to, and with an error when the store goes away', async () => {
    const store = memoryEventStore();
    const stop = new AbortController();
    const quiet = collect(store.subscribe({ signal: stop.signal }), () => false);
    stop.abort();
    expect((await quiet).map(({ kind }) => kind)).to.deep.equal(['caught-up']);
    const broken = collect(store.subscribe({ signal: new AbortController().signal }), () => false);
    await store.ping();
    store.outage(true);
    expect(isStoreUnavailable(await failure(broken))).to.equal(true);
    expect(isStoreUnavailable(await failure(store.read('a-1')))).to.equal(true);
    store.outage(false);
    await store.ping();
  });

  it('keeps only the newest events of a disposable stream', async () => {
    const store = memoryEventStore();
    await store.append('a-1', 'any', [event('One'), event('Two')]);
    await store.keepLast('a-1', 1);
    expect((await store.read('a-1')).map(({ revision }) => revision)).to.deep.equal([1n]);
    expect((await store.append('a-1', 1n, [event('Three')])).revision).to.equal(2n);
  });
});

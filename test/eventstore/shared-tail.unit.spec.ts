import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { withSharedTail } from '../../infra/eventstore/shared-tail.ts';
import { isStoreUnavailable, type EventStore, type Position } from '../../src/kernel/event-store.ts';
import { eventIdOf } from '../../src/kernel/ids.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';

describe('the shared tail of the log', () => {
  const append = (store: EventStore, stream: string, n: number) =>
    store.append(stream, 'any', [{ id: eventIdOf(stream, 'k', n), type: 'Happened', data: { n }, metadata: {} }]);

  /** Tells the stream of each event after a position. */
  const following =
    (store: EventStore, signal: AbortSignal) =>
    async (from: Position | undefined, heard: (stream: string) => void): Promise<void> => {
      const place = from === undefined ? {} : { from };
      for await (const items of store.subscribe({ ...place, signal }))
        for (const item of items) if (item.kind === 'event') heard(item.event.stream);
    };

  /** A store with a live tail, and how often the store behind it was read. */
  const given = async () => {
    const behind = memoryEventStore();
    const first = await append(behind, 'early-1', 1);
    let reads = 0;
    const store = withSharedTail({
      ...behind,
      readAll: (options) => {
        reads += 1;
        return behind.readAll(options);
      },
    });
    const over = new AbortController();
    const caughtUp = Promise.withResolvers<undefined>();
    const following = (async () => {
      for await (const items of store.subscribe({ from: first.position, signal: over.signal }))
        if (items.some(({ kind }) => kind === 'caught-up')) caughtUp.resolve(undefined);
    })();
    await caughtUp.promise;
    const end = async () => {
      over.abort();
      await following;
      await store.close();
    };
    return { store, behind, first: first.position, reads: () => reads, end };
  };

  it('answers what it holds from memory, as the store does', async () => {
    const { store, behind, first, reads, end } = await given();
    for (let n = 1; n <= 5; n += 1) await append(store, `late-${n % 2}`, n);
    await turn();
    for (const options of [
      { from: first, maxCount: 100 },
      { from: first, maxCount: 2 },
      { from: first, maxCount: 100, filter: { streamPrefixes: ['late-1'] } },
    ])
      expect(await store.readAll(options)).to.deep.equal(await behind.readAll(options));
    expect(reads()).to.equal(0);
    await end();
  });

  it('leaves what came before it to the store', async () => {
    const { store, behind, reads, end } = await given();
    expect(await store.readAll({ maxCount: 10 })).to.deep.equal(await behind.readAll({ maxCount: 10 }));
    expect(reads()).to.equal(1);
    await end();
  });

  it('tells nothing twice to a reader that has caught up further than the tail has got', async () => {
    const behind = memoryEventStore();
    await append(behind, 'early-1', 1);
    const gate = Promise.withResolvers<undefined>();
    const tailed = Promise.withResolvers<undefined>();
    let subscriptions = 0;
    const store = withSharedTail({
      ...behind,
      async *subscribe(options) {
        subscriptions += 1;
        const isTail = subscriptions === 1;
        if (isTail) tailed.resolve(undefined);
        if (isTail) await gate.promise;
        yield* behind.subscribe(options);
      },
    });
    const over = new AbortController();
    const follow = following(store, over.signal);
    const first = follow(await behind.head(), () => undefined);
    await tailed.promise;
    await append(behind, 'late-1', 2);
    await append(behind, 'late-2', 3);
    const heard: string[] = [];
    const last = Promise.withResolvers<undefined>();
    const second = follow(undefined, (stream) => {
      heard.push(stream);
      // The tail hears of it when the reader has caught up and follows the tail.
      if (stream === 'late-2') setTimeout(() => gate.resolve(undefined), 20);
      if (stream === 'last-1') last.resolve(undefined);
    });
    await gate.promise;
    await turn();
    await append(behind, 'last-1', 4);
    await last.promise;
    expect(heard).to.deep.equal(['early-1', 'late-1', 'late-2', 'last-1']);
    over.abort();
    await Promise.all([first, second]);
    await store.close();
  });

  it('goes on with another when the first does not hear what the store has', async () => {
    const behind = memoryEventStore();
    await append(behind, 'early-1', 1);
    let subscriptions = 0;
    const store = withSharedTail(
      {
        ...behind,
        async *subscribe(options) {
          subscriptions += 1;
          const isDeaf = subscriptions === 1;
          for await (const items of behind.subscribe(options)) {
            const isEvent = items.some(({ kind }) => kind === 'event');
            if (isDeaf && isEvent) await new Promise((resolve) => (options.signal.onabort = resolve));
            yield items;
          }
        },
      },
      20,
    );
    const over = new AbortController();
    const from = await behind.head();
    const follow = following(store, over.signal);
    const first = follow(from, () => undefined).catch((error: unknown) => error);
    await turn();
    await append(behind, 'late-1', 1);
    expect(isStoreUnavailable(await first)).to.equal(true);
    const heard = await new Promise<string>((resolve, reject) => void follow(from, resolve).catch(reject));
    expect(heard).to.equal('late-1');
    expect(subscriptions).to.be.at.least(2);
    over.abort();
    await store.close();
  });
});

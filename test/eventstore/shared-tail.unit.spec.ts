import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { withSharedTail } from '../../infra/eventstore/shared-tail.ts';
import type { EventStore } from '../../src/kernel/event-store.ts';
import { eventIdOf } from '../../src/kernel/ids.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';

describe('the shared tail of the log', () => {
  const append = (store: EventStore, stream: string, n: number) =>
    store.append(stream, 'any', [{ id: eventIdOf(stream, 'k', n), type: 'Happened', data: { n }, metadata: {} }]);

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
      for await (const item of store.subscribe({ from: first.position, signal: over.signal }))
        if (item.kind === 'caught-up') caughtUp.resolve(undefined);
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
});

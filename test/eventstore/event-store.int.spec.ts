import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { connectEventStore } from '../../infra/eventstore/event-store.ts';
import { withSharedTail } from '../../infra/eventstore/shared-tail.ts';
import { startEventNode, type LaunchedNode } from '../../infra/embedded/event-node/launch.ts';
import { isStoreUnavailable, type EventStore, type Subscription } from '../../src/kernel/event-store.ts';
import { eventStoreContract } from '../contract/event-store.contract.ts';

describe('the embedded event node behind the port', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'event-store-'));
  let node: LaunchedNode | undefined;
  let store: EventStore | undefined;

  after(async () => {
    await store?.close();
    await node?.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  eventStoreContract('event node', async () => {
    node = await startEventNode({ dataDir });
    store = connectEventStore(node.url);
    return store;
  });

  eventStoreContract('event node, with a shared tail', () => {
    if (store === undefined) throw new Error('the first contract opens the store');
    return Promise.resolve(withSharedTail(store));
  });
});

describe('an event store that takes calls and never answers', () => {
  const sockets = new Set<Socket>();
  const silent = createServer((socket) => sockets.add(socket.on('error', () => undefined)));
  let store: EventStore;

  before(async () => {
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    store = connectEventStore(`esdb://127.0.0.1:${port}?tls=false`, 100);
  });
  after(async () => {
    await store.close();
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  const first = async (feed: Subscription): Promise<unknown> => {
    for await (const items of feed) return items;
    return undefined;
  };
  const never = new AbortController().signal;
  const calls: Readonly<Record<string, () => Promise<unknown>>> = {
    'an append': () => store.append('s', 'any', [{ id: randomUUID(), type: 'Happened', data: {}, metadata: {} }]),
    'a read': () => store.read('s'),
    'a read of the log': () => store.readAll({ maxCount: 1 }),
    'the end of the log': () => store.head(),
    'a subscription': () => first(store.subscribe({ signal: never })),
  };
  for (const [what, call] of Object.entries(calls)) {
    it(`counts as away: ${what}`, async () => {
      expect(isStoreUnavailable(await call().catch((error: unknown) => error))).to.equal(true);
    });
  }
});

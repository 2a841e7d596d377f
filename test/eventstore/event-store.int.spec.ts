import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectEventStore } from '../../infra/eventstore/event-store.ts';
import { withSharedTail } from '../../infra/eventstore/shared-tail.ts';
import { startEventNode, type LaunchedNode } from '../../infra/embedded/event-node/launch.ts';
import type { EventStore } from '../../src/kernel/event-store.ts';
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

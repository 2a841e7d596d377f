import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import {
  ANY,
  EventStoreDBClient,
  jsonEvent,
  NO_STREAM,
  START,
  streamNameFilter,
  type Position,
  type ResolvedEvent,
} from '@eventstore/db-client';
import { startEventNode, type LaunchedNode } from '../../infra/embedded/event-node/launch.ts';
import { verify } from '../../infra/embedded/event-node/ops/verify.ts';

/** What became of a torture run; no faults means that nothing was lost, doubled or reordered. */
export type TortureReport = { kills: number; appended: number; subscribers: number; faults: string[] };

type Writer = { stream: string; acknowledged: number };
type Subscriber = { name: string; seen: { stream: string; n: number }[]; position: Position | typeof START };

/** An append may be lost in the client when its connection dies; the same event again is harmless. */
const patience = 3000;

const writeUntil = async (client: EventStoreDBClient, writer: Writer, careful: boolean, stopped: () => boolean) => {
  for (let n = 0; !stopped(); n++) {
    const event = jsonEvent({ id: randomUUID(), type: 'Tortured', data: { n } });
    const expectedRevision = careful ? (n === 0 ? NO_STREAM : BigInt(n - 1)) : ANY;
    for (let done = false; !done;) {
      const append = client.appendToStream(writer.stream, event, { expectedRevision }).then(
        () => true,
        () => pause(10, false),
      );
      done = await Promise.race([append, pause(patience, false)]);
    }
    writer.acknowledged = n + 1;
  }
};

const note = (subscriber: Subscriber, { event }: ResolvedEvent): void => {
  if (event?.position === undefined || event.type !== 'Tortured') return;
  subscriber.seen.push({ stream: event.streamId, n: (event.data as { n: number }).n });
  subscriber.position = event.position;
};

const followUntil = async (
  client: EventStoreDBClient,
  subscriber: Subscriber,
  prefix: string,
  stopped: () => boolean,
) => {
  while (!stopped()) {
    const filter = streamNameFilter({ prefixes: [prefix] });
    const subscription = client.subscribeToAll({ fromPosition: subscriber.position, filter });
    subscription.on('data', (event: ResolvedEvent) => note(subscriber, event));
    await new Promise<void>((resolve) => {
      subscription.once('error', () => resolve());
      const watch = setInterval(() => {
        if (!stopped()) return;
        clearInterval(watch);
        resolve();
      }, 20);
      subscription.once('error', () => clearInterval(watch));
    });
    subscription.destroy();
    await pause(10);
  }
};

/** Whether the numbers of each stream in a list count up from zero without a gap. */
const faultsIn = (where: string, seen: readonly { stream: string; n: number }[]): string[] => {
  const next = new Map<string, number>();
  const faults: string[] = [];
  for (const { stream, n } of seen) {
    const expected = next.get(stream) ?? 0;
    if (n !== expected) faults.push(`${where} has ${n} of ${stream} where ${expected} belongs`);
    next.set(stream, n + 1);
  }
  return faults;
};

const countIn = (seen: readonly { stream: string }[], stream: string): number =>
  seen.filter((one) => one.stream === stream).length;

const inspect = (
  writers: readonly Writer[],
  subscribers: readonly Subscriber[],
  stored: Subscriber['seen'],
): string[] => [
  ...faultsIn('the log', stored),
  ...subscribers.flatMap(({ name, seen }) => faultsIn(name, seen)),
  ...writers.flatMap(({ stream, acknowledged }) =>
    [{ name: 'the log', seen: stored }, ...subscribers.filter(({ name }) => stream.startsWith(name))]
      .filter(({ seen }) => countIn(seen, stream) !== acknowledged)
      .map(
        ({ name, seen }) =>
          `${name} has ${countIn(seen, stream)} events of ${stream}, acknowledged were ${acknowledged}`,
      ),
  ),
];

/** Kills a node again and again while eight writers and four subscribers are at work, then looks at what is there. */
export const torture = async (kills: number, milliseconds: () => number): Promise<TortureReport> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'event-node-torture-'));
  const args = ['--log-level', 'error'];
  let node: LaunchedNode = await startEventNode({ dataDir, args });
  const port = Number(new URL(node.url).port);
  const client = EventStoreDBClient.connectionString(node.url);
  const writers: Writer[] = Array.from({ length: 8 }, (_, at) => ({ stream: `writer-${at}`, acknowledged: 0 }));
  const subscribers: Subscriber[] = ['writer-', 'writer-', 'writer-1', 'writer-2'].map((name) => ({
    name,
    seen: [],
    position: START,
  }));
  let writing = true;
  let following = true;
  const work = Promise.all(writers.map((writer, at) => writeUntil(client, writer, at % 2 === 0, () => !writing)));
  const watching = Promise.all(subscribers.map((one) => followUntil(client, one, one.name, () => !following)));
  try {
    for (let kill = 0; kill < kills; kill++) {
      await pause(milliseconds());
      process.kill(node.pid, 'SIGKILL');
      await node.exited;
      node = await startEventNode({ dataDir, port, args });
    }
    await pause(milliseconds());
    writing = false;
    await work;
    const appended = writers.reduce((sum, { acknowledged }) => sum + acknowledged, 0);
    const end = Date.now() + 20_000;
    while (subscribers.slice(0, 2).some(({ seen }) => seen.length < appended) && Date.now() < end) await pause(20);
    following = false;
    await watching;
    const stored: Subscriber = { name: 'the log', seen: [], position: START };
    for await (const event of client.readAll()) note(stored, event);
    const faults = [...inspect(writers, subscribers, stored.seen), ...verify(dataDir).faults];
    return { kills, appended, subscribers: subscribers.length, faults };
  } finally {
    await client.dispose();
    await node.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
};

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDBClient, jsonEvent, type JSONEventType } from '@eventstore/db-client';
import { startEventNode, type LaunchedNode } from '../../infra/embedded/event-node/launch.ts';

export type Counted = JSONEventType<'Counted', { n: number }>;

/** A node of its own for a test file: starts before it, is gone after it. */
export type NodeUnderTest = {
  client: () => EventStoreDBClient;
  node: () => LaunchedNode;
  dataDir: () => string;
  /** Starts the node again on the same directory, after it ended. */
  restart: () => Promise<void>;
};

let serial = 0;
/** A stream name nobody else uses. */
export const freshStream = (category = 'test'): string => `${category}-${process.pid}-${++serial}`;

/** So many events that count upwards from a number. */
export const counted = (count: number, from = 0): ReturnType<typeof jsonEvent<Counted>>[] =>
  Array.from({ length: count }, (_, at) => jsonEvent<Counted>({ type: 'Counted', data: { n: from + at } }));

/** The numbers in the events of a read. */
export const numbersIn = async (
  events: AsyncIterable<{ event?: { data: unknown } | undefined }>,
): Promise<number[]> => {
  const numbers: number[] = [];
  for await (const { event } of events) numbers.push((event?.data as { n: number }).n);
  return numbers;
};

/** Everything an iteration gives. */
export const allOf = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
};

/** What a promise is rejected with; fails when it is not. */
export const rejection = async (promise: Promise<unknown>): Promise<Record<string, unknown>> => {
  try {
    await promise;
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('expected a rejection');
};

/** Numbers from one to another, both included. */
export const span = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

/** Waits until a condition holds, at most so many milliseconds. */
export const until = async (condition: () => boolean, limit = 10_000): Promise<void> => {
  const end = Date.now() + limit;
  while (!condition()) {
    if (Date.now() > end) throw new Error('the condition did not come true in time');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

/** A temporary directory and a node on it for the tests of the enclosing `describe`. */
export const useEventNode = (args: readonly string[] = []): NodeUnderTest => {
  let dataDir = '';
  let node: LaunchedNode;
  let client: EventStoreDBClient;
  const start = async (): Promise<void> => {
    node = await startEventNode({ dataDir, args: ['--log-level', 'error', ...args] });
    client = EventStoreDBClient.connectionString(node.url);
  };
  before(async function () {
    this.timeout(20_000);
    dataDir = await mkdtemp(join(tmpdir(), 'event-node-'));
    await start();
  });
  after(async () => {
    await client.dispose();
    await node.stop();
    await rm(dataDir, { recursive: true, force: true });
  });
  return {
    client: () => client,
    node: () => node,
    dataDir: () => dataDir,
    restart: async () => {
      await client.dispose();
      await start();
    },
  };
};

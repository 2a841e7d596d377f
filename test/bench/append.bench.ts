import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ANY, jsonEvent, NO_STREAM, type EventStoreDBClient } from '@eventstore/db-client';
import { median, shown, startMemoryServer, startNodeContender } from './contenders.ts';

// Acknowledged appends a second through the official client, one small event a call. The node has each on disk before
// it answers; the in-memory server is the ceiling that client and protocol allow.

type Case = { name: string; concurrency: number; sameStream: boolean };

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '2' }, rounds: { type: 'string', default: '3' } },
});
const milliseconds = Number(values.seconds) * 1000;

const cases: Case[] = [
  { name: 'distinct streams', concurrency: 1, sameStream: false },
  { name: 'distinct streams', concurrency: 32, sameStream: false },
  { name: 'distinct streams', concurrency: 256, sameStream: false },
  { name: 'one stream', concurrency: 32, sameStream: true },
];

const appendsPerSecond = async (client: EventStoreDBClient, { concurrency, sameStream }: Case): Promise<number> => {
  const shared = `bench-${randomUUID()}`;
  const end = performance.now() + milliseconds;
  let done = 0;
  const writer = async (): Promise<void> => {
    while (performance.now() < end) {
      const event = jsonEvent({ type: 'FundsReserved', data: { amount: '1250', reservation: randomUUID(), n: done } });
      const stream = sameStream ? shared : `bench-${randomUUID()}`;
      await client.appendToStream(stream, event, { expectedRevision: sameStream ? ANY : NO_STREAM });
      done += 1;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: concurrency }, writer));
  return done / ((performance.now() - started) / 1000);
};

const memory = await startMemoryServer();
const node = await startNodeContender();
const ratios: Record<string, number> = {};
const rows: Record<string, string | number>[] = [];
try {
  for (const contender of [memory, node]) await appendsPerSecond(contender.client, cases[1]!);
  for (const one of cases) {
    const rates: { memory: number[]; node: number[] } = { memory: [], node: [] };
    for (let round = 0; round < Number(values.rounds); round++) {
      rates.memory.push(await appendsPerSecond(memory.client, one));
      rates.node.push(await appendsPerSecond(node.client, one));
    }
    const [ceiling, reached] = [median(rates.memory), median(rates.node)];
    const ratio = Number((reached / ceiling).toFixed(3));
    ratios[`${one.sameStream ? 'one_stream' : 'distinct'}_${one.concurrency}`] = ratio;
    rows.push({
      case: one.name,
      concurrency: one.concurrency,
      'in memory /s': shown(ceiling),
      'event node /s': shown(reached),
      ratio,
    });
  }
} finally {
  await Promise.all([memory.stop(), node.stop()]);
}
console.table(rows);
console.log(JSON.stringify({ bench: 'append', ratios }));

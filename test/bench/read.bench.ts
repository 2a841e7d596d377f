import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { jsonEvent, type EventStoreDBClient } from '@eventstore/db-client';
import { median, shown, startMemoryServer, startNodeContender } from './contenders.ts';

// Events a second that `readAll` of the official client gives: from disk when there are more events than the node
// keeps in memory, else from its cache. The in-memory server is the ceiling that client and protocol allow.

const { values } = parseArgs({
  options: { events: { type: 'string', default: '150000' }, rounds: { type: 'string', default: '3' } },
});
const total = Number(values.events);
const perAppend = 500;

const fill = async (client: EventStoreDBClient): Promise<void> => {
  for (let sent = 0; sent < total; sent += perAppend) {
    const events = Array.from({ length: perAppend }, (_, at) =>
      jsonEvent({ type: 'UsageCheckpointed', data: { request: randomUUID(), tokens: at, model: 'sandbox/echo' } }),
    );
    await client.appendToStream(`bench-${randomUUID()}`, events);
  }
};

const readsPerSecond = async (client: EventStoreDBClient): Promise<number> => {
  const started = performance.now();
  let events = 0;
  for await (const { event } of client.readAll()) if (event !== undefined) events += 1;
  if (events < total) throw new Error(`read ${events} of ${total} events`);
  return events / ((performance.now() - started) / 1000);
};

const memory = await startMemoryServer();
const node = await startNodeContender();
const rates: { memory: number[]; node: number[] } = { memory: [], node: [] };
try {
  for (const { client } of [memory, node]) await fill(client);
  for (let round = 0; round < Number(values.rounds); round++) {
    rates.memory.push(await readsPerSecond(memory.client));
    rates.node.push(await readsPerSecond(node.client));
  }
} finally {
  await Promise.all([memory.stop(), node.stop()]);
}
const [ceiling, reached] = [median(rates.memory), median(rates.node)];
const ratio = Number((reached / ceiling).toFixed(3));
console.table([
  { case: '$all', events: total, 'in memory /s': shown(ceiling), 'event node /s': shown(reached), ratio },
]);
console.log(JSON.stringify({ bench: 'read', ratios: { read_all: ratio } }));

import { hash, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { jsonEvent, NO_STREAM, type EventStoreDBClient } from '@eventstore/db-client';
import { logFile, openLogForWriting } from '../../infra/embedded/event-node/log/schema.ts';
import { hashStreamName } from '../../infra/embedded/event-node/streams/stream-key.ts';
import { encodeRecord } from '../../infra/embedded/event-node/wire/record.ts';
import { median, memoryOf, shown, startNodeContender, type Contender } from './contenders.ts';

// What a large store costs: time to start, memory, and appends a second against an empty store.

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '5000000' },
    'per-stream': { type: 'string', default: '2' },
    rounds: { type: 'string', default: '5' },
    dir: { type: 'string' },
  },
});
const total = Number(values.events);
const perStream = Number(values['per-stream']);

/** Writes the log as the node would have; the node makes the index at its first start. */
const fill = (dataDir: string): void => {
  const log = openLogForWriting(join(dataDir, logFile));
  log.exec('pragma synchronous = off; begin');
  const insert = log.prepare('insert into events values (?, ?, ?, ?, ?)');
  let stream = '';
  for (let position = 1; position <= total; position++) {
    const revision = (position - 1) % perStream;
    if (revision === 0) stream = `completion-${randomUUID()}`;
    const event = {
      id: randomUUID(),
      type: 'ReservationCaptured',
      contentType: 'application/json',
      data: Buffer.from(`{"reservation":"${stream}","amount":"1250","lines":[{"tokens":${position}}]}`),
      customMetadata: Buffer.from(`{"$correlationId":"${stream}","schemaVersion":1}`),
    };
    const body = encodeRecord(event, { stream, revision, position, created: Date.now() });
    insert.run(position, hashStreamName(stream), revision, hash('sha256', body, 'buffer').subarray(0, 16), body);
    if (position % 100_000 === 0) log.exec('commit; begin');
  }
  log.exec('commit; pragma wal_checkpoint(truncate)');
  log.close();
};

const appendsPerSecond = async (client: EventStoreDBClient): Promise<number> => {
  const end = performance.now() + 2000;
  let done = 0;
  const writer = async (): Promise<void> => {
    for (; performance.now() < end; done++) {
      const event = jsonEvent({ type: 'FundsReserved', data: { amount: '1250', n: done } });
      await client.appendToStream(`bench-${randomUUID()}`, event, { expectedRevision: NO_STREAM });
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: 32 }, writer));
  return done / ((performance.now() - started) / 1000);
};

const timed = async <T>(work: () => Promise<T> | T): Promise<[result: T, seconds: number]> => {
  const started = performance.now();
  return [await work(), (performance.now() - started) / 1000];
};

const dataDir = values.dir ?? (await mkdtemp(join(tmpdir(), 'event-node-large-')));
const nodes: Contender[] = [];
try {
  const [, fillSeconds] = await timed(() => (values.dir === undefined ? fill(dataDir) : undefined));
  const [first, indexSeconds] = await timed(() => startNodeContender(dataDir));
  await first.stop();
  const [large, startSeconds] = await timed(() => startNodeContender(dataDir));
  const empty = await startNodeContender();
  nodes.push(large, empty);
  const rates: { large: number[]; empty: number[] } = { large: [], empty: [] };
  await appendsPerSecond(empty.client);
  await appendsPerSecond(large.client);
  for (let round = 0; round < Number(values.rounds); round++) {
    rates.empty.push(await appendsPerSecond(empty.client));
    rates.large.push(await appendsPerSecond(large.client));
  }
  const memory = (await memoryOf(large.pid)) / 1024 / 1024;
  const [atEmpty, atLarge] = [median(rates.empty), median(rates.large)];
  const ratio = Number((atLarge / atEmpty).toFixed(3));
  console.table([
    { what: 'written without the node, s', value: shown(fillSeconds) },
    { what: 'first start, which makes the index, s', value: shown(indexSeconds) },
    { what: 'start, s', value: shown(startSeconds) },
    { what: 'memory after the run, MiB', value: shown(memory) },
    { what: 'appends /s, empty store', value: shown(atEmpty) },
    { what: `appends /s, ${total} events stored`, value: shown(atLarge) },
  ]);
  console.log(
    JSON.stringify({
      bench: 'large-store',
      events: total,
      start_seconds: Number(startSeconds.toFixed(2)),
      memory_mib: Math.round(memory),
      ratios: { append_large_to_empty: ratio },
    }),
  );
} finally {
  for (const node of nodes) await node.stop();
  if (values.dir === undefined) await rm(dataDir, { recursive: true, force: true });
}

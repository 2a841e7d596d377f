import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { binaryEvent, EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { expect } from 'chai';
import { DirectoryInUse } from '../../infra/embedded/event-node/data-lock.ts';
import { startEventNode } from '../../infra/embedded/event-node/launch.ts';
import { backup, restore } from '../../infra/embedded/event-node/ops/backup.ts';
import { OperationFailed } from '../../infra/embedded/event-node/ops/operation.ts';
import { scavenge } from '../../infra/embedded/event-node/ops/scavenge.ts';
import { importEvents } from '../../infra/embedded/event-node/ops/transfer.ts';
import { verify, type Verification } from '../../infra/embedded/event-node/ops/verify.ts';
import { counted, freshStream, numbersIn, rejection, span, useEventNode } from './node-under-test.ts';

const program = fileURLToPath(new URL('../../infra/embedded/event-node/main.ts', import.meta.url));
const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args]);

/** Some text as a file read line by line. */
async function* linesOf(text: string): AsyncGenerator<string> {
  yield* await Promise.resolve(text.split('\n'));
}

/** Works with a node on a directory, then stops it. */
const withNode = async <T>(dataDir: string, work: (client: EventStoreDBClient) => Promise<T>): Promise<T> => {
  const node = await startEventNode({ dataDir, args: ['--log-level', 'error'] });
  const client = EventStoreDBClient.connectionString(node.url);
  try {
    return await work(client);
  } finally {
    await client.dispose();
    await node.stop();
  }
};

const everything = async (client: EventStoreDBClient): Promise<unknown[]> => {
  const events: unknown[] = [];
  for await (const { event } of client.readAll()) events.push(event);
  return events;
};

describe('event node: operations', () => {
  const part = useEventNode();
  const place = (name: string): string => join(part.dataDir(), '..', `${part.dataDir().split('/').at(-1)}-${name}`);
  const places: string[] = [];
  const newPlace = (name: string): string => {
    places.push(place(name));
    return place(name);
  };
  after(() => Promise.all(places.map((directory) => rm(directory, { recursive: true, force: true }))));

  before(async () => {
    await part.client().appendToStream('kept-1', counted(20));
    const exact = jsonEvent({ type: 'Größe', data: { text: 'ü', n: 1 }, metadata: { $correlationId: 'x' } });
    const bytes = binaryEvent({ type: 'Bytes', data: Uint8Array.of(0, 1, 255), metadata: Uint8Array.of(200) });
    const wide = binaryEvent({ type: 'Wide', data: Buffer.from('{"n":12345678901234567890}') });
    await part.client().appendToStream('kept-2', [exact, bytes, wide]);
    await part.client().setStreamMetadata('kept-1', { maxCount: 15 });
  });

  it('backs up while it is written, and the backup starts as a node', async () => {
    let writing = true;
    const stream = freshStream();
    const writer = async (): Promise<void> => {
      for (let n = 0; writing; n++) await part.client().appendToStream(stream, counted(1, n));
    };
    const written = writer();
    const backedUp = JSON.parse(
      (await run('backup', '--data-dir', part.dataDir(), '--to', newPlace('backup'))).stdout,
    ) as Verification;
    writing = false;
    await written;
    expect(backedUp).to.deep.include({ faults: [], scavenged: 0 });
    expect(restore(place('backup'), newPlace('restored')).events).to.equal(backedUp.events);
    const events = await withNode(place('restored'), everything);
    const original = await everything(part.client());
    expect(events).to.deep.equal(original.slice(0, backedUp.position));
  });

  it('will not write over a log', () => {
    backup(part.dataDir(), newPlace('again'));
    expect(() => backup(part.dataDir(), place('again'))).to.throw(OperationFailed, 'already holds a log');
    expect(() => restore(place('again'), place('backup'))).to.throw(OperationFailed, 'already holds a log');
  });

  it('will not restore over a running node', () => {
    expect(() => restore(place('again'), part.dataDir())).to.throw(DirectoryInUse);
  });

  it('verifies a running node', () => {
    const found = verify(part.dataDir());
    expect(found).to.deep.include({ faults: [] });
    expect(found.events).to.equal(found.position);
  });

  it('finds what was changed, moved or taken away', async () => {
    const damage = (name: string, sql: string): string[] => {
      backup(part.dataDir(), newPlace(name));
      const log = new DatabaseSync(join(place(name), 'events.db'));
      log.exec(sql);
      log.close();
      return verify(place(name)).faults;
    };
    const changed =
      "update events set body = cast(replace(cast(body as text), 'Counted', 'Doubted') as blob) where position = 3";
    expect(damage('changed', changed)).to.deep.equal(['the event at position 3 is not as it was written']);
    expect(await rejection(run('verify', '--data-dir', place('changed')))).to.include({ code: 1 });
    const moved = `update events set position = -1 where position = 4; update events set position = 4 where position = 5;
      update events set position = 5 where position = -1`;
    expect(damage('moved', moved)[0]).to.contain('position 4 says it is at 5');
    expect(damage('gone', 'delete from events where position = 6')).to.include('position 6 is missing');
  });

  it('exports lines of JSON that import to the same log', async () => {
    const { stdout } = await run('export', '--data-dir', part.dataDir());
    const lines = stdout.trimEnd().split('\n');
    await writeFile(newPlace('lines'), stdout);
    expect(JSON.parse(lines[20]!)).to.deep.include({
      stream: 'kept-2',
      type: 'Größe',
      data: { json: { text: 'ü', n: 1 } },
    });
    const imported = await run('import', '--data-dir', newPlace('imported'), '--from', place('lines'));
    expect(JSON.parse(imported.stdout)).to.deep.equal({ lines: lines.length });
    const [copy, original] = [await withNode(place('imported'), everything), await everything(part.client())];
    expect(copy).to.deep.equal(original);
  });

  it('refuses to import what is not whole', async () => {
    const whole = '{"position":2,"revision":0,"stream":"a","id":"x","type":"t","contentType":"c"}';
    for (const [line, why] of [
      ['{', 'not JSON'],
      ['{"position":1,"stream":"a"}', 'not a whole event'],
      [whole, 'position 1 is missing'],
    ] as const) {
      const error = await rejection(importEvents(newPlace(`bad-${places.length}`), linesOf(line)));
      expect(error['message']).to.contain(why);
    }
  });

  it('scavenges what is hidden and keeps everything else', async () => {
    const dataDir = newPlace('scavenged');
    await withNode(dataDir, async (client) => {
      await client.appendToStream('limited', counted(10));
      await client.setStreamMetadata('limited', { maxCount: 5 });
      await client.setStreamMetadata('limited', { maxCount: 2 });
      await client.appendToStream('deleted', [
        jsonEvent({ type: 'Secret', data: { name: 'forget-me' } }),
        ...counted(3),
      ]);
      await client.deleteStream('deleted');
      await client.appendToStream('dead', counted(4));
      await client.tombstoneStream('dead');
      await client.appendToStream('whole', counted(4));
    });
    expect(await scavenge(dataDir, Date.now())).to.include({ streams: 4, events: 8 + 1 + 3 + 4 });
    expect(verify(dataDir)).to.deep.include({ faults: [], scavenged: 16 });
    expect((await readFile(join(dataDir, 'events.db'))).includes('forget-me')).to.equal(false);
    await withNode(dataDir, async (client) => {
      expect(await numbersIn(client.readStream('limited'))).to.deep.equal([8, 9]);
      expect(await numbersIn(client.readStream('whole'))).to.deep.equal([0, 1, 2, 3]);
      expect((await client.appendToStream('deleted', counted(1))).nextExpectedRevision).to.equal(4n);
      expect(await rejection(numbersIn(client.readStream('dead')))).to.include({ type: 'stream-deleted' });
      const positions = (await everything(client)).map((event) =>
        Number((event as { position: { commit: bigint } }).position.commit),
      );
      expect(positions).to.deep.equal(positions.toSorted((one, other) => one - other));
      expect(verify(dataDir)).to.deep.include({ faults: [] });
    });
    await rm(join(dataDir, 'index.db'));
    await withNode(dataDir, async (client) => {
      expect(await numbersIn(client.readStream('limited'))).to.deep.equal([8, 9]);
    });
  });

  it('makes a lost index again', async () => {
    await part.node().stop();
    const dataDir = newPlace('unindexed');
    await cp(part.dataDir(), dataDir, { recursive: true });
    await part.restart();
    await Promise.all(['index.db', 'index.db-wal'].map((file) => rm(join(dataDir, file), { force: true })));
    await withNode(dataDir, async (client) => {
      expect(await numbersIn(client.readStream('kept-1'))).to.deep.equal(span(5, 19));
    });
  });

  describe('after damage', () => {
    /** A directory whose node was killed, with its last transactions still in the write-ahead log. */
    const killedNode = async (name: string): Promise<{ dataDir: string; streams: number }> => {
      const dataDir = newPlace(name);
      const node = await startEventNode({ dataDir, args: ['--log-level', 'error'] });
      const client = EventStoreDBClient.connectionString(node.url);
      for (const n of span(0, 9)) await client.appendToStream('s', counted(1, n));
      process.kill(node.pid, 'SIGKILL');
      await node.exited;
      await client.dispose();
      return { dataDir, streams: 10 };
    };

    it('drops a torn last write, and nothing else', async () => {
      const { dataDir } = await killedNode('torn');
      const wal = join(dataDir, 'events.db-wal');
      const { size } = await stat(wal);
      // The last transaction lost its second half, as if the machine had stopped in the middle of it.
      await truncate(wal, size - 2000);
      await rm(join(dataDir, 'index.db'), { force: true });
      const said: string[] = [];
      const node = await startEventNode({ dataDir, logger: { debug: (fields) => said.push(JSON.stringify(fields)) } });
      const client = EventStoreDBClient.connectionString(node.url);
      expect(await numbersIn(client.readStream('s'))).to.deep.equal(span(0, 8));
      expect((await client.appendToStream('s', counted(1, 9))).position!.commit).to.equal(10n);
      await client.dispose();
      await node.stop();
      expect(said.join('\n')).to.contain('the last run did not end in order');
      expect(verify(dataDir)).to.deep.include({ faults: [], events: 10 });
    });

    it('says when the log lost events that were acknowledged', async () => {
      const { dataDir } = await killedNode('lost');
      await withNode(dataDir, async () => Promise.resolve());
      const log = new DatabaseSync(join(dataDir, 'events.db'));
      log.exec('delete from events where position > 7');
      log.close();
      const said: string[] = [];
      const node = await startEventNode({ dataDir, logger: { debug: (fields) => said.push(JSON.stringify(fields)) } });
      const client = EventStoreDBClient.connectionString(node.url);
      expect(await numbersIn(client.readStream('s'))).to.deep.equal(span(0, 6));
      await client.dispose();
      await node.stop();
      expect(said.join('\n')).to.contain('events were lost');
    });
  });

  it('refuses appends when the log may not grow, keeps serving, and loses nothing', async () => {
    const dataDir = newPlace('full');
    const node = await startEventNode({ dataDir, args: ['--max-log-mib', '1', '--log-level', 'error'] });
    const client = EventStoreDBClient.connectionString(node.url);
    const big = (n: number) => jsonEvent({ type: 'Big', data: { n, text: 'x'.repeat(100_000) } });
    const results = await Promise.allSettled(span(0, 29).map((n) => client.appendToStream(`full-${n}`, big(n))));
    const stored = results.filter(({ status }) => status === 'fulfilled').length;
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).to.have.length.above(0);
    expect(String((refused[0] as PromiseRejectedResult).reason)).to.contain('disk is full');
    const small = await client.appendToStream('small', counted(1)).then(
      () => 1,
      () => 0,
    );
    expect(await everything(client)).to.have.lengthOf(stored + small);
    await client.dispose();
    await node.stop();
    await withNode(dataDir, async (again) => {
      expect(await everything(again)).to.have.lengthOf(stored + small);
      await again.appendToStream('room', counted(1));
    });
  });

  it('asks for a directory that holds a log', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'event-node-empty-'));
    expect(await rejection(run('verify', '--data-dir', empty))).to.include({ code: 2 });
    expect(await rejection(scavenge(empty, 0))).to.include({ message: `there is no log in ${empty}` });
    await rm(empty, { recursive: true });
  });
});

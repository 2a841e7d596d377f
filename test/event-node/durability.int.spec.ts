import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { EventStoreDBClient, NO_STREAM } from '@eventstore/db-client';
import { expect } from 'chai';
import { counted, freshStream, numbersIn, rejection, span, until, useEventNode } from './node-under-test.ts';

const program = fileURLToPath(new URL('../../infra/embedded/event-node/main.ts', import.meta.url));
const run = (...args: string[]) =>
  promisify(execFile)(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args]);

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

describe('event node: durability', () => {
  const part = useEventNode();

  it('has everything after a restart and goes on at the next position', async () => {
    const stream = freshStream();
    const { position } = await part.client().appendToStream(stream, counted(5));
    await part.node().stop();
    await part.restart();
    expect(await numbersIn(part.client().readStream(stream))).to.deep.equal(span(0, 4));
    const next = await part.client().appendToStream(stream, counted(1, 5), { expectedRevision: 4n });
    expect(next.position!.commit).to.equal(position!.commit + 1n);
  });

  it('recognises a repeated append after a restart', async () => {
    const stream = freshStream();
    const events = counted(2);
    const first = await part.client().appendToStream(stream, events);
    await part.node().stop();
    await part.restart();
    expect(await part.client().appendToStream(stream, events)).to.deep.equal(first);
    expect(await part.client().appendToStream(stream, events, { expectedRevision: NO_STREAM })).to.deep.equal(first);
  });

  it('keeps every acknowledged event when killed while it writes', async function () {
    this.timeout(30_000);
    const streams = span(0, 7).map(() => freshStream());
    const acknowledged = new Map(streams.map((stream) => [stream, 0]));
    for (let round = 0; round < 3; round++) {
      const client = part.client();
      const total = (): number => [...acknowledged.values()].reduce((sum, count) => sum + count, 0);
      const goal = total() + 200;
      const writers = streams.map(async (stream) => {
        for (let n = acknowledged.get(stream)!; ; n++) {
          await client.appendToStream(stream, counted(1, n), { expectedRevision: n === 0 ? NO_STREAM : BigInt(n - 1) });
          acknowledged.set(stream, n + 1);
        }
      });
      const ended = Promise.allSettled(writers);
      await until(() => total() >= goal);
      process.kill(part.node().pid, 'SIGKILL');
      await ended;
      await part.node().exited;
      await part.restart();
      for (const stream of streams) {
        const numbers = await numbersIn(part.client().readStream(stream));
        expect(numbers).to.deep.equal(span(0, numbers.length - 1));
        expect(numbers.length).to.be.within(acknowledged.get(stream)!, acknowledged.get(stream)! + 1);
        acknowledged.set(stream, numbers.length);
      }
    }
    const positions: number[] = [];
    for await (const { event } of part.client().readAll()) positions.push(Number(event!.position.commit));
    expect(positions).to.deep.equal(span(1, positions.length));
  });

  it('has one owner for a data directory', async () => {
    const error = await rejection(run('--data-dir', part.dataDir(), '--port', '0'));
    expect(error).to.include({ code: 2 });
    expect(String(error['stderr'])).to.contain('another process works in');
  });

  it('explains itself', async () => {
    expect((await run('--help')).stdout).to.contain('--data-dir');
    expect(await rejection(run('--port', '0'))).to.include({ code: 2 });
  });

  it('says where it listens when nobody started it, and stops in order', async () => {
    await part.node().stop();
    const child = execFile(process.execPath, [
      program,
      '--data-dir',
      part.dataDir(),
      '--port',
      '0',
      '--log-level',
      'silent',
    ]);
    const [line] = (await once(child.stdout!.setEncoding('utf8'), 'data')) as [string];
    expect(line).to.match(/^esdb:\/\/127\.0\.0\.1:\d+\?tls=false\n$/);
    const client = EventStoreDBClient.connectionString(line.trim());
    await client.appendToStream(freshStream(), counted(1));
    await client.dispose();
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).to.deep.equal([0, null]);
    await part.restart();
  });

  it('ends with the process that started it', async () => {
    await part.node().stop();
    const launch = new URL('../../infra/embedded/event-node/launch.ts', import.meta.url);
    const script = `const { startEventNode } = await import('${launch.href}');
      const node = await startEventNode({ dataDir: '${part.dataDir()}' });
      console.log(node.pid);
      setInterval(() => {}, 1000);`;
    const parent = execFile(process.execPath, ['--input-type=module', '-e', script]);
    const [line] = (await once(parent.stdout!.setEncoding('utf8'), 'data')) as [string];
    parent.kill('SIGKILL');
    await until(() => !isAlive(Number(line)));
    await part.restart();
  });
});

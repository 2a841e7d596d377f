import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EventStoreDBClient, persistentSubscriptionToStreamSettingsFromDefaults } from '@eventstore/db-client';
import { expect } from 'chai';
import { startEventNode } from '../../infra/embedded/event-node/launch.ts';
import { allOf, counted, freshStream, numbersIn, rejection, span, useEventNode } from './node-under-test.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

describe('event node: services', () => {
  const part = useEventNode(['--http-port', '0']);

  it('is found by a discovery string', async () => {
    const { host } = new URL(part.node().url);
    const client = EventStoreDBClient.connectionString(`esdb+discover://${host}?tls=false`);
    const stream = freshStream();
    await client.appendToStream(stream, counted(1));
    expect(await numbersIn(client.readStream(stream))).to.deep.equal([0]);
    await client.dispose();
  });

  it('tells a version that gives clients their best paths', async () => {
    const { capabilities } = part.client() as unknown as { capabilities: Promise<{ serverVersion: string }> };
    expect((await capabilities).serverVersion).to.match(/^23\./);
  });

  it('says what it does not have', async () => {
    const group = part
      .client()
      .createPersistentSubscriptionToStream('s', 'g', persistentSubscriptionToStreamSettingsFromDefaults());
    expect(String((await rejection(group))['message'])).to.contain('no persistent subscriptions');
    const projection = part.client().createProjection('p', 'fromAll()');
    expect(String((await rejection(projection))['message'])).to.contain('runs no projections');
  });

  it('answers health and metrics over HTTP', async () => {
    const get = async (path: string) => fetch(`${part.node().httpUrl}${path}`);
    await part.client().appendToStream(freshStream(), counted(3));
    const subscription = part.client().subscribeToAll();
    await new Promise((resolve) => subscription.once('caughtUp', resolve));
    expect((await get('/health/live')).status).to.equal(200);
    expect(await (await get('/health/ready')).json()).to.deep.equal({ status: 'ready' });
    expect((await get('/nowhere')).status).to.equal(404);
    const metrics = await (await get('/metrics')).text();
    expect(metrics).to.match(/^event_node_appends_total\{result="stored"\} [1-9]/m);
    expect(metrics).to.match(/^event_node_append_seconds_count [1-9]/m);
    expect(metrics).to.match(/^event_node_subscriptions 1$/m);
    await subscription.unsubscribe();
  });

  it('serves several clients at once', async () => {
    const clients = span(1, 3).map(() => EventStoreDBClient.connectionString(part.node().url));
    const stream = freshStream();
    await Promise.all(
      clients.flatMap((client, at) => span(0, 9).map((n) => client.appendToStream(stream, counted(1, at * 10 + n)))),
    );
    const reads = await Promise.all(clients.map((client) => numbersIn(client.readStream(stream))));
    expect(reads[0]!.toSorted((one, other) => one - other)).to.deep.equal(span(0, 29));
    expect(reads[1]).to.deep.equal(reads[0]);
    await Promise.all(clients.map((client) => client.dispose()));
  });

  describe('with TLS and credentials', () => {
    let directory: string;
    let node: Awaited<ReturnType<typeof startEventNode>>;
    const connect = (user: string) =>
      EventStoreDBClient.connectionString(
        `${node.url.replace('://', `://${user}@`)}&tlsCAFile=${encodeURIComponent(fixture('loopback.crt'))}`,
      );

    before(async () => {
      directory = await mkdtemp(join(tmpdir(), 'event-node-tls-'));
      const credentials = join(directory, 'credentials');
      await writeFile(credentials, '# who may\nada:love:lace\n');
      const tls = ['--tls-cert', fixture('loopback.crt'), '--tls-key', fixture('loopback.key')];
      const dataDir = join(directory, 'data');
      node = await startEventNode({
        dataDir,
        args: [...tls, '--credentials-file', credentials, '--log-level', 'error'],
      });
    });
    after(async () => {
      await node.stop();
      await rm(directory, { recursive: true, force: true });
    });

    it('lets in who is known', async () => {
      const client = connect('ada:love%3Alace');
      const stream = freshStream();
      await client.appendToStream(stream, counted(2));
      expect(await numbersIn(client.readStream(stream))).to.deep.equal([0, 1]);
      await client.dispose();
    });

    it('refuses everything to anyone else', async () => {
      const client = connect('ada:wrong');
      const stream = freshStream();
      const credentials = { username: 'ada', password: 'wrong' };
      const attempts = [
        () => client.appendToStream(stream, counted(1)),
        () => client.appendToStream(stream, counted(1), { credentials }),
        () => allOf<unknown>(client.readStream(stream)),
        () => allOf<unknown>(client.subscribeToAll()),
        () => client.deleteStream(stream),
        () => client.tombstoneStream(stream),
      ];
      for (const attempt of attempts) expect(await rejection(attempt())).to.include({ type: 'access-denied' });
      await client.dispose();
    });
  });

  it('needs both halves of TLS', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'event-node-half-'));
    const start = startEventNode({ dataDir, args: ['--tls-cert', fixture('loopback.crt')] });
    expect(String((await rejection(start))['message'])).to.contain('needs both a certificate and its key');
    await rm(dataDir, { recursive: true, force: true });
  });
});

import { expect } from 'chai';
import { apiClient, type ApiClient } from '../support/api-client.ts';
import {
  runTool,
  signIn,
  startServer,
  temporaryDataDir,
  until,
  type RunningServer,
} from '../support/running-server.ts';

/** A stream that has begun: its request id, and all of its text once it has ended. */
const startedOn = async (client: ApiClient, prompt: string) => {
  const response = await client.completion(prompt, { stream: true });
  const decoder = new TextDecoder();
  const begun = Promise.withResolvers<string>();
  const text = (async () => {
    let seen = '';
    for await (const piece of response.body ?? []) {
      seen += decoder.decode(piece as Uint8Array, { stream: true });
      const id = /"requestId":"([0-9a-f-]+)"/.exec(seen)?.[1];
      if (id !== undefined) begun.resolve(id);
    }
    return seen;
  })();
  text.then(begun.reject, begun.reject);
  return { requestId: await begun.promise, text };
};

describe('two instances over the same stores', function () {
  this.timeout(180_000);
  const dataDir = temporaryDataDir();
  const second = temporaryDataDir();
  const env = { FREE_CREDITS_AMOUNT: '0.002' };
  let servers: readonly [RunningServer, RunningServer];
  let token: string;
  let clients: readonly [ApiClient, ApiClient];
  let userId: string;

  before(async () => {
    const first = await startServer(dataDir.path, env);
    servers = [first, await startServer(second.path, { ...env, JOIN: dataDir.path })];
    token = await signIn(first, 'two@example.test');
    clients = [apiClient(servers[0].url, token), apiClient(servers[1].url, token)];
    userId = (await clients[0].get<{ id: string }>('/api/auth/userinfo')).id;
  });

  after(async () => {
    expect(await servers[1].stop()).to.equal(0);
    expect(await servers[0].stop()).to.equal(0);
    dataDir.remove();
    second.remove();
  });

  it('know the same user', async () => {
    const users = await Promise.all(clients.map((client) => client.get('/api/auth/userinfo')));
    expect(users[0]).to.deep.equal(users[1]);
  });

  it('never let more through together than the credit covers', async () => {
    const prompt = '[[sandbox latency=1500 tokens=20]] both at once';
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const response = await (n % 2 === 0 ? clients[0] : clients[1]).completion(prompt, { stream: true });
        await response.text();
        return response.status;
      }),
    );
    const ran = statuses.filter((status) => status === 200).length;
    expect(new Set(statuses)).to.deep.equal(new Set([200, 402]));
    const { stdout } = await runTool(dataDir.path, 'finance', ['balance', '--user', userId, '--json']);
    const balance = JSON.parse(stdout) as { availableUsd: string; heldUsd: string; shortfallUsd: string };
    expect([balance.heldUsd, balance.shortfallUsd]).to.deep.equal(['0', '0']);
    const events = await clients[1].events((frames) => {
      const charges = frames.filter(({ data }) => (data as { type?: string }).type === 'ReservationCaptured');
      return charges.length === ran;
    });
    const spent = events
      .map(({ data }) => data as { type?: string; data?: { metered?: { cost: string } } })
      .filter(({ type }) => type === 'ReservationCaptured')
      .reduce((sum, { data }) => sum + Number(data?.metered?.cost), 0);
    expect(2000 - spent).to.equal(Math.round(Number(balance.availableUsd) * 1e6));
  });

  it('end and know each other’s requests', async () => {
    const { requestId, text } = await startedOn(clients[0], '[[sandbox stallAfter=1]] one two');
    const at = (index: 0 | 1) => clients[index].call('GET', `/api/llm/status/${requestId}`);
    const standing = async (index: 0 | 1): Promise<unknown> =>
      ((await (await at(index)).json()) as { status: unknown }).status;
    expect([await standing(0), await standing(1)]).to.deep.equal(['active', 'active']);
    const stranger = apiClient(servers[1].url, await signIn(servers[0], 'stranger@example.test'));
    expect((await stranger.call('POST', '/api/llm/cancel', { requestId })).status).to.equal(403);
    const cancelled = await clients[1].call('POST', '/api/llm/cancel', { requestId });
    expect(await cancelled.json()).to.deep.equal({ success: true, message: 'the request was cancelled' });
    expect(await text).to.contain('event: stream_cancelled');
    expect((await clients[1].call('POST', '/api/llm/cancel', { requestId })).status).to.equal(404);
    expect((await clients[0].call('POST', '/api/llm/cancel', { requestId })).status).to.equal(404);
    expect([await standing(0), await standing(1)]).to.deep.equal(['cancelled', 'cancelled']);
    expect((await stranger.call('GET', `/api/llm/status/${requestId}`)).status).to.equal(403);
  });

  it('are both ready', async () => {
    const statuses = servers.map(async ({ url }) => (await fetch(`${url}/health/ready`)).status);
    expect(await Promise.all(statuses)).to.deep.equal([200, 200]);
  });

  it('end a session on both within a second or so', async () => {
    expect((await clients[0].call('POST', '/api/auth/logout')).status).to.equal(200);
    await until('the other instance to know', async () =>
      (await clients[1].call('GET', '/api/auth/userinfo')).status === 401 ? true : undefined,
    );
  });
});

describe('secrets that are not those of the database', function () {
  this.timeout(120_000);

  it('keep the server from starting', async () => {
    const dataDir = temporaryDataDir();
    const server = await startServer(dataDir.path);
    await server.stop();
    const message = await startServer(dataDir.path, { IDENTITY_HASH_KEY: 'ab'.repeat(32) }).then(
      () => 'started',
      (error: unknown) => (error as Error).message,
    );
    expect(message).to.contain('ended (2)').and.to.contain('IDENTITY_HASH_KEY is not what');
    dataDir.remove();
  });
});

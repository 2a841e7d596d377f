import { expect } from 'chai';
import { apiClient, type ApiClient } from '../support/api-client.ts';
import { signIn, startServer, temporaryDataDir, until, type RunningServer } from '../support/running-server.ts';

type Made = Readonly<{ id: string; key: string }>;
type Listed = Readonly<{
  keys: readonly Readonly<{ id: string; name: string; requests: number; budget: Readonly<Record<string, string>> }>[];
}>;

describe('API keys on two instances', function () {
  this.timeout(180_000);
  const dataDir = temporaryDataDir();
  const second = temporaryDataDir();
  let servers: readonly [RunningServer, RunningServer];
  let person: ApiClient;
  let made: Made;
  /** A program with the key, on each instance. */
  let programs: readonly [ApiClient, ApiClient];

  before(async () => {
    const first = await startServer(dataDir.path);
    servers = [first, await startServer(second.path, { JOIN: dataDir.path })];
    person = apiClient(first.url, await signIn(first, 'keys@example.test'));
    const answer = await person.call('POST', '/api/api-keys', {
      name: 'editor',
      scopes: ['chat', 'models', 'account'],
      budget: { limitUsd: '1', period: 'day' },
    });
    expect(answer.status).to.equal(201);
    made = (await answer.json()) as Made;
    programs = [apiClient(servers[0].url, made.key), apiClient(servers[1].url, made.key)];
  });

  after(async () => {
    expect(await servers[1].stop()).to.equal(0);
    expect(await servers[0].stop()).to.equal(0);
    dataDir.remove();
    second.remove();
  });

  it('let a program ask on either, and book it under the key', async () => {
    for (const program of programs) {
      const answer = await program.completion('hello');
      expect(answer.status, await answer.text()).to.equal(200);
      expect((await program.call('GET', '/v1/models')).status).to.equal(200);
      expect((await program.call('GET', '/api/billing/credits/balance')).status).to.equal(200);
      expect((await program.call('GET', '/api/api-keys')).status).to.equal(403);
    }
    // What was asked on the other instance shows as soon as the read model has it.
    const key = await until('both requests in the list', async () => {
      const { keys } = await person.get<Listed>('/api/api-keys');
      return keys.find(({ id, requests }) => id === made.id && requests === 2);
    });
    expect(key.name).to.equal('editor');
    expect(Number(key.budget['spentUsd'])).to.be.greaterThan(0);
    expect(Number(key.budget['spentUsd']) + Number(key.budget['remainingUsd'])).to.be.closeTo(1, 1e-9);
  });

  it('keep a changed budget on both', async () => {
    const body = { budget: { limitUsd: '0', period: 'day' } };
    expect((await person.call('PUT', `/api/api-keys/${made.id}/budget`, body)).status).to.equal(200);
    for (const program of programs) {
      await until('the new budget', async () =>
        (await program.completion('hello')).status === 402 ? true : undefined,
      );
    }
  });

  it('end on both, with the event streams that were open', async () => {
    const streams = await Promise.all(programs.map((program) => program.call('GET', '/ws/events')));
    expect(streams.map(({ status }) => status)).to.deep.equal([200, 200]);
    expect((await person.call('DELETE', `/api/api-keys/${made.id}`)).status).to.equal(204);
    expect((await programs[0].call('GET', '/v1/models')).status, 'at once here').to.equal(401);
    await until('the other instance to know', async () =>
      (await programs[1].call('GET', '/v1/models')).status === 401 ? true : undefined,
    );
    for (const stream of streams) await stream.text();
    expect(JSON.stringify([servers[0].log(), servers[1].log()])).not.to.contain(made.key);
  });
});

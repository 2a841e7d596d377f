import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { WebSocket } from 'ws';
import { apiClient, type ApiClient } from '../support/api-client.ts';
import {
  partsOf,
  runTool,
  signIn,
  startServer,
  temporaryDataDir,
  until,
  type RunningServer,
} from '../support/running-server.ts';

type Erasures = Readonly<{
  erasures: readonly Readonly<{ userId: string; status: string; step: string; certificate: string | null }>[];
}>;

/** Every row of every table of ours, as text. */
const everyRow = async (dataDir: string): Promise<string> => {
  const client = new pg.Client({ connectionString: partsOf(dataDir).databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      `select format('%I.%I', table_schema, table_name) as name from information_schema.tables
       where table_schema in ('rm', 'rm_next', 'rm_old', 'app', 'projector')`,
    );
    const texts: string[] = [];
    for (const { name } of rows) {
      const found = await client.query<{ row: string }>(`select t::text as row from ${name} t`);
      texts.push(...found.rows.map(({ row }) => `${name} ${row}`));
    }
    return texts.join('\n');
  } finally {
    await client.end();
  }
};

/** A person whose every word is recognisable, with a device, an API key, consent and a recorded answer. */
const person = async (server: RunningServer, mark: string) => {
  const deviceId = randomUUID();
  const email = `${mark}-mail@example.test`;
  const token = await signIn(server, email);
  const client = apiClient(server.url, token, { 'x-device-id': deviceId, 'user-agent': `${mark}-agent` });
  const { id: userId } = await client.get<{ id: string }>('/api/auth/userinfo');
  const said = async (method: string, path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await client.call(method, path, body, headers);
    const text = await answer.text();
    expect(answer.ok, `${path}: ${answer.status} ${text}`).to.equal(true);
    return text === '' ? {} : (JSON.parse(text) as Readonly<Record<string, unknown>>);
  };
  const device = {
    deviceName: `${mark}-desk`,
    platform: 'linux',
    appVersion: '1.0.0',
    capabilities: { activeProjectDirectory: `/home/${mark}-directory` },
  };
  await said('POST', '/api/devices/register', device, { 'x-client-type': 'desktop' });
  const key = await said('POST', '/api/api-keys', { name: `${mark}-key`, scopes: ['chat', 'account'] });
  await said('POST', '/api/consent/accept', { doc_type: 'terms', region: 'eu', metadata: { note: `${mark}-note` } });
  const asked = await client.completion(`${mark}-prompt`, {});
  expect(asked.status, await asked.text()).to.equal(200);
  const keyed = await client.call(
    'POST',
    '/api/llm/chat/completions',
    { model: 'sandbox/echo', messages: [{ role: 'user', content: `${mark}-recorded` }], max_tokens: 50 },
    { 'idempotency-key': randomUUID() },
  );
  expect(keyed.status, await keyed.text()).to.equal(200);
  return { userId, email, token, client, key: String(key['key']) };
};

const finished = (admin: ApiClient, userId: string): Promise<string> =>
  until('the erasure to be complete', async () => {
    const { erasures } = await admin.get<Erasures>('/api/admin/erasures');
    return erasures.find((one) => one.userId === userId)?.certificate ?? undefined;
  });

describe('deleting an account', function () {
  this.timeout(300_000);
  const dataDir = temporaryDataDir();
  const second = temporaryDataDir();
  let servers: readonly [RunningServer, RunningServer];
  let admin: ApiClient;
  const markOne = `m${randomUUID().slice(0, 8)}`;
  const markTwo = `m${randomUUID().slice(0, 8)}`;
  let logs = '';

  const start = async (): Promise<void> => {
    const first = await startServer(dataDir.path);
    servers = [first, await startServer(second.path, { JOIN: dataDir.path })];
  };

  before(async () => {
    await start();
    admin = apiClient(servers[0].url, await signIn(servers[0], 'root@example.test', '--admin'));
  });

  after(async () => {
    await servers[1].stop();
    await servers[0].stop();
    dataDir.remove();
    second.remove();
  });

  it('is refused while a request runs, and to programs', async () => {
    const { client, key } = await person(servers[0], `w${randomUUID().slice(0, 8)}`);
    const running = await client.completion('[[sandbox tokens=20 delay=200]] slow', { stream: true });
    const refused = await client.call('DELETE', '/api/auth/account');
    expect(refused.status).to.equal(409);
    expect(await refused.json()).to.include({ error_type: 'billing_conflict' });
    await running.text();
    expect((await apiClient(servers[1].url, key).call('DELETE', '/api/auth/account')).status).to.equal(403);
    expect((await client.call('GET', '/api/auth/userinfo')).status).to.equal(200);
  });

  it('ends access on every instance at once, and every connection a little later', async () => {
    const { userId, token, client, key } = await person(servers[0], markOne);
    await until('what is known of them stands in tables', async () => {
      const rows = await everyRow(dataDir.path);
      return rows.includes(`${markOne}-mail`) && rows.includes(`${markOne}-key`) ? true : undefined;
    });
    const replaced = await runTool(dataDir.path, 'projections', ['rebuild', 'users']);
    expect(replaced.code, replaced.stderr).to.equal(0);
    expect(await everyRow(dataDir.path)).to.match(new RegExp(`"?rm_old"?\\.users .*${markOne}-mail`));
    const socket = new WebSocket(`${servers[1].url.replace('http', 'ws')}/ws/events`, {
      headers: { Authorization: `Bearer ${token}` },
    });
    const closed = new Promise<number>((resolve) => socket.once('close', resolve));
    await new Promise((resolve) => socket.once('message', resolve));

    const answer = await client.call('DELETE', '/api/auth/account');
    expect(answer.status).to.equal(200);
    expect(await answer.json()).to.deep.equal({ status: 'deleted' });
    for (const { url } of servers) {
      for (const secret of [token, key]) {
        await until(`401 at ${url}`, async () => {
          const again = await apiClient(url, secret).call('GET', '/api/billing/credits/balance');
          return again.status === 401 ? true : undefined;
        });
      }
    }
    expect(await closed).to.equal(1008);

    const certificate = await finished(admin, userId);
    const proof = await runTool(dataDir.path, 'audit', ['erased', '--user', userId, '--json']);
    expect(proof.code, proof.stderr).to.equal(0);
    expect(JSON.parse(proof.stdout)).to.deep.include({ userId, status: 'completed', removed: true, faults: [] });
    expect(proof.stdout).to.include(certificate);
    expect((await runTool(dataDir.path, 'audit', ['erased', '--user', randomUUID()])).code).to.equal(1);
  });

  it('goes on after every server was killed in the middle', async () => {
    const { userId, client } = await person(servers[1], markTwo);
    const answer = await client.call('DELETE', '/api/auth/account');
    expect(answer.status).to.equal(200);
    logs += servers[0].log() + servers[1].log();
    await Promise.all([servers[1].kill(), servers[0].kill()]);
    await start();
    admin = apiClient(servers[0].url, await signIn(servers[0], 'root@example.test', '--admin'));
    await finished(admin, userId);
  });

  it('leaves nothing that can be read: not in tables, not after a rebuild, not in what was logged', async () => {
    const rows = await everyRow(dataDir.path);
    for (const mark of [markOne, markTwo]) expect(rows).to.not.include(mark);
    for (const name of ['users', 'devices', 'api-keys', 'consent', 'user-feed']) {
      const { code, stderr } = await runTool(dataDir.path, 'projections', ['rebuild', name]);
      expect(code, stderr).to.equal(0);
    }
    const rebuilt = await everyRow(dataDir.path);
    logs += servers[0].log() + servers[1].log();
    for (const mark of [markOne, markTwo]) {
      expect(rebuilt).to.not.include(mark);
      expect(logs).to.not.include(mark);
    }
  });

  it('leaves every amount and every hash', async () => {
    const verified = await runTool(dataDir.path, 'audit', ['verify']);
    expect(verified.code, verified.stdout).to.equal(0);
    const { erasures } = await admin.get<Erasures>('/api/admin/erasures');
    const done = erasures.filter(({ status }) => status === 'completed');
    expect(done).to.have.length(2);
    for (const { userId } of done) {
      const { stdout } = await runTool(dataDir.path, 'finance', ['balance', '--user', userId, '--json']);
      const balance = JSON.parse(stdout) as Readonly<Record<string, unknown>>;
      expect(balance).to.include({ availableUsd: '0', heldUsd: '0', shortfallUsd: '0', openHolds: 0 });
      expect(balance['events']).to.be.greaterThan(5);
    }
  });

  it('greets who signs in again as somebody new, without credit', async () => {
    const email = `${markOne}-mail@example.test`;
    const client = apiClient(servers[1].url, await signIn(servers[1], email));
    const { id } = await client.get<{ id: string }>('/api/auth/userinfo');
    const { erasures } = await admin.get<Erasures>('/api/admin/erasures');
    expect(erasures.map(({ userId }) => userId)).to.not.include(id);
    expect((await client.completion('hello')).status).to.equal(402);
    expect((await client.get<{ items: unknown[] }>('/api/consent/status?region=eu')).items).to.have.length(2);
  });
});

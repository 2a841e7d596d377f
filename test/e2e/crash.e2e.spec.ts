import { expect } from 'chai';
import pg from 'pg';
import { apiClient, framesOf } from '../support/api-client.ts';
import {
  partsOf,
  runTool,
  signIn,
  startServer,
  temporaryDataDir,
  until,
  type RunningServer,
} from '../support/running-server.ts';

type Balance = Readonly<{ availableUsd: string; heldUsd: string; openHolds: number; events: number }>;

const replayed = async (dataDir: string, userId: string): Promise<Balance> => {
  const { code, stdout, stderr } = await runTool(dataDir, 'finance', ['balance', '--user', userId, '--json']);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Balance;
};

const withDatabase = async <T>(dataDir: string, work: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ connectionString: partsOf(dataDir).databaseUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
};

/** Every row of every read model, in a form that can be compared. */
const readModels = (dataDir: string): Promise<Readonly<Record<string, readonly string[]>>> =>
  withDatabase(dataDir, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      "select table_name as name from information_schema.tables where table_schema = 'rm' order by 1",
    );
    const tables: Record<string, readonly string[]> = {};
    for (const { name } of rows) {
      const result = await client.query<{ row: string }>(`select t::text as row from rm."${name}" t order by 1`);
      // The log may be sealed at any moment, which the audit trail shows.
      tables[name] = result.rows.map(({ row }) => row).filter((row) => !row.includes('auditAnchor-'));
    }
    return tables;
  });

describe('the whole server', function () {
  this.timeout(240_000);
  const dataDir = temporaryDataDir();
  let server: RunningServer;

  const openHolds = (userId: string): Promise<number> =>
    withDatabase(dataDir.path, async (client) => {
      const query = 'select count(*)::int as open from rm.open_hold where user_id = $1';
      const { rows } = await client.query<{ open: number }>(query, [userId]);
      return rows[0]?.open ?? 0;
    });

  after(async () => {
    await server.stop();
    dataDir.remove();
  });

  it('lets exactly the completions run that the credit covers', async () => {
    const prompt = '[[sandbox latency=2500 tokens=20]] the same prompt for everybody';
    server = await startServer(dataDir.path);
    const probe = apiClient(server.url, await signIn(server, 'probe@example.test'));
    expect((await probe.completion(prompt)).status).to.equal(200);
    const events = await probe.events((frames) => JSON.stringify(frames).includes('ReservationCaptured'));
    const reserved = events.map(({ data }) => data as { type: string; data: { held: string } });
    const held = Number(reserved.find(({ type }) => type === 'FundsReserved')?.data.held);
    await server.stop();

    // Ten holds and nearly an eleventh.
    const grant = ((held * 11 - 1) / 1e6).toFixed(6);
    server = await startServer(dataDir.path, { FREE_CREDITS_AMOUNT: grant });
    const client = apiClient(server.url, await signIn(server, 'fifty@example.test'));
    const { id: userId } = await client.get<{ id: string }>('/api/auth/userinfo');
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const response = await client.completion(prompt, { stream: true });
        return { status: response.status, body: await response.text() };
      }),
    );
    const counted = Object.groupBy(answers, ({ status }) => String(status));
    expect([counted['200']?.length, counted['402']?.length]).to.deep.equal([10, 40]);
    for (const { body } of counted['402'] ?? []) expect(body).to.contain('"error_type":"credit_insufficient"');
    const charged = (counted['200'] ?? []).map(({ body }) => framesOf(body).at(-1)?.data as { finalCost: number });
    const sum = charged.reduce((total, { finalCost }) => total + Math.round(finalCost * 1e6), 0);
    const balance = await replayed(dataDir.path, userId);
    expect(Math.round(Number(grant) * 1e6) - Math.round(Number(balance.availableUsd) * 1e6)).to.equal(sum);
    expect(balance.openHolds).to.equal(0);
  });

  it('ends every hold after it was killed in the middle of twenty streams', async () => {
    await server.stop();
    server = await startServer(dataDir.path, { HOLD_LEASE_SECONDS: '10' });
    const client = apiClient(server.url, await signIn(server, 'crash@example.test'));
    const { id: userId } = await client.get<{ id: string }>('/api/auth/userinfo');
    const streams = Array.from({ length: 20 }, () =>
      client
        .completion('[[sandbox delay=200 tokens=300]] one two three', { stream: true, max_tokens: 300 })
        .then((response) => response.text())
        .catch(() => 'cut'),
    );
    const silent = apiClient(server.url, await signIn(server, 'silent@example.test'));
    const { id: silentId } = await silent.get<{ id: string }>('/api/auth/userinfo');
    const unanswered = Array.from({ length: 5 }, () =>
      silent
        .completion('[[sandbox latency=600000]] one two three', { stream: true, max_tokens: 300 })
        .then((response) => response.text())
        .catch(() => 'cut'),
    );
    await until('five holds without an answer', async () => ((await openHolds(silentId)) === 5 ? true : undefined));
    await until('twenty open holds', async () => ((await openHolds(userId)) === 20 ? true : undefined));
    await until('all to have told once what they used', async () => {
      const { events } = await replayed(dataDir.path, userId);
      // Opened, granted, twenty holds and twenty checkpoints.
      return events >= 42 ? true : undefined;
    });
    await server.kill();
    await Promise.all([...streams, ...unanswered]);

    server = await startServer(dataDir.path, { SHUTDOWN_GRACE_SECONDS: '8' });
    const noneOpen = async (): Promise<true | undefined> =>
      (await openHolds(userId)) + (await openHolds(silentId)) === 0 ? true : undefined;
    await until('all holds to end', noneOpen, 90_000);
    const untouched = await replayed(dataDir.path, silentId);
    expect([untouched.openHolds, Number(untouched.availableUsd)], 'nothing was consumed').to.deep.equal([0, 2]);
    const balance = await replayed(dataDir.path, userId);
    expect(balance.openHolds).to.equal(0);
    expect(Number(balance.availableUsd), 'what was consumed is charged').to.be.lessThan(2);
    const again = apiClient(server.url, await signIn(server, 'crash@example.test'));
    const shown = await until('the read model to show it', async () => {
      const { freeCreditBalance } = await again.get<{ freeCreditBalance: string }>('/api/billing/credits/balance');
      return freeCreditBalance === balance.availableUsd ? freeCreditBalance : undefined;
    });
    expect([balance.heldUsd, shown]).to.deep.equal(['0', balance.availableUsd]);
    expect((await runTool(dataDir.path, 'audit', ['verify'])).code).to.equal(0);
  });

  it('charges a stream that runs when Ctrl-C comes, before it stops', async () => {
    const client = apiClient(server.url, await signIn(server, 'ctrl-c@example.test'));
    const { id: userId } = await client.get<{ id: string }>('/api/auth/userinfo');
    const streams = [30, 400].map((tokens) =>
      client
        .completion(`[[sandbox delay=100 tokens=${tokens}]] slowly now`, { stream: true, max_tokens: 500 })
        .then((response) => response.text())
        .catch(() => 'cut'),
    );
    await until('both to run', async () => ((await openHolds(userId)) === 2 ? true : undefined));
    await server.stop();
    const [short] = await Promise.all(streams);
    expect(framesOf(short ?? '').at(-1)?.event).to.equal('stream_completed');

    server = await startServer(dataDir.path);
    const balance = await replayed(dataDir.path, userId);
    expect([balance.openHolds, balance.heldUsd]).to.deep.equal([0, '0']);
    expect(Number(balance.availableUsd)).to.be.lessThan(2);
  });

  it('comes back with equal read models after all of them were dropped', async () => {
    const caughtUp = async (): Promise<true | undefined> => {
      const { stdout } = await runTool(dataDir.path, 'projections', ['status', '--json']);
      const status = JSON.parse(stdout) as
        | readonly { state: string; lagSeconds: number | null }[]
        | { projections: readonly { state: string; lagSeconds: number | null }[] };
      const list = 'projections' in status ? status.projections : status;
      return list.every(({ state, lagSeconds }) => state === 'live' && lagSeconds === 0) ? true : undefined;
    };
    await until('all projections to be live', caughtUp);
    const before = await readModels(dataDir.path);
    expect(Object.keys(before)).to.include.members(['users', 'devices', 'credit_balance', 'ledger', 'audit']);
    await withDatabase(dataDir.path, (client) => client.query('drop schema rm cascade'));
    await server.stop();
    server = await startServer(dataDir.path);
    await until('all projections to be live again', caughtUp);
    expect(await readModels(dataDir.path)).to.deep.equal(before);
  });

  it('is ready again within a few seconds after a kill of any part', async () => {
    await server.kill();
    server = await startServer(dataDir.path);
    const response = await fetch(`${server.url}/health/ready`);
    expect(response.status).to.equal(200);
  });
});

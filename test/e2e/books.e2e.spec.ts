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

type Books = Readonly<{ hash: string; balanced: boolean; discrepancies: readonly unknown[]; through: string }>;
type Balance = Readonly<{ availableUsd: string; shortfallUsd: string; openHolds: number }>;

/** Enough for a few of the requests at a time and far from enough for all. */
const GRANT = '0.002000';
const REQUESTS = 150;

describe('three instances, of which one is killed in the middle of many requests', function () {
  this.timeout(180_000);
  const dirs = [temporaryDataDir(), temporaryDataDir(), temporaryDataDir()];
  const dataDir = dirs[0]!.path;
  const servers: RunningServer[] = [];
  let clients: readonly ApiClient[];
  let userId: string;

  const tool = async <T>(...args: readonly string[]): Promise<T> => {
    const { code, stdout, stderr } = await runTool(dataDir, 'finance', [...args, '--json']);
    expect(code, `${args.join(' ')}: ${stderr}${stdout}`).to.equal(0);
    return JSON.parse(stdout) as T;
  };

  before(async () => {
    const env = { FREE_CREDITS_AMOUNT: GRANT };
    servers.push(await startServer(dataDir, env));
    for (const { path } of dirs.slice(1)) servers.push(await startServer(path, { ...env, JOIN: dataDir }));
    const token = await signIn(servers[0]!, 'three@example.test');
    clients = servers.map(({ url }) => apiClient(url, token));
    userId = (await clients[0]!.get<{ id: string }>('/api/auth/userinfo')).id;
  });

  after(async () => {
    for (const server of [servers[2], servers[0]]) await server?.stop();
    for (const dir of dirs) dir.remove();
  });

  it('charge no more than there was, and leave nothing owed', async () => {
    /** The end of a request: its status, or 0 when its instance was killed. */
    const end = async (begun: Promise<Response>): Promise<number> => {
      try {
        const response = await begun;
        await response.text();
        return response.status;
      } catch {
        return 0;
      }
    };
    // Before all others there is one that the instance dies in the middle of, and one on an instance that lives: an answer
    // that has a head has its hold.
    const doomed = await clients[1]!.completion('[[sandbox delay=1000 tokens=90]] too long', { stream: true });
    const safe = await clients[0]!.completion('[[sandbox delay=100 tokens=20]] long enough', { stream: true });
    expect([doomed.status, safe.status]).to.deep.equal([200, 200]);
    const ends = [doomed, safe].map((response) => end(Promise.resolve(response)));
    const storm = Array.from({ length: REQUESTS }, (_, n) =>
      end(clients[n % 3]!.completion('[[sandbox latency=3000 tokens=20]] at once', { stream: true })),
    );
    await Promise.race(storm);
    await servers[1]?.kill();
    expect(await Promise.all(ends), 'the one that was cut off, and the one that was not').to.deep.equal([0, 200]);
    const statuses = await Promise.all(storm);
    expect(statuses.filter((status) => status === 402 || status === 429).length).to.be.greaterThan(0);
    const settled = await until(
      'the holds of the dead to be settled',
      async () => {
        const balance = await tool<Balance>('balance', '--user', userId);
        return balance.openHolds === 0 ? balance : undefined;
      },
      90_000,
    );
    expect(settled.shortfallUsd).to.equal('0');
    expect(Number(settled.availableUsd)).to.be.within(0, Number(GRANT));
  });

  it('have books that balance, agree with every account, and replay to the same hash', async () => {
    const first = await tool<Books>('replay');
    expect(first).to.deep.include({ balanced: true, discrepancies: [] });
    const again = await tool<Books>('replay', '--to-position', first.through);
    expect(again.hash).to.equal(first.hash);
    expect((await tool<Books>('trial-balance', '--as-of', first.through)).hash).to.equal(first.hash);
    const statement = await tool<{ closingUsd: string }>('statement', '--user', userId);
    const { availableUsd } = await tool<Balance>('balance', '--user', userId);
    expect(statement.closingUsd).to.equal(availableUsd);
    await until('the read models to agree', async () =>
      (await runTool(dataDir, 'finance', ['reconcile'])).code === 0 ? true : undefined,
    );
  });
});

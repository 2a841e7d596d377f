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

/** Enough for some of the requests and far from enough for all. */
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
    const ask = async (n: number): Promise<number> => {
      try {
        const response = await clients[n % 3]!.completion('[[sandbox latency=12000 tokens=20]] at once', {
          stream: true,
        });
        await response.text();
        return response.status;
      } catch {
        // The instance was killed.
        return 0;
      }
    };
    // One of those that are let in is on the instance that dies.
    const first = ask(1);
    await until('a request to run there', async () =>
      (await tool<Balance>('balance', '--user', userId)).openHolds > 0 ? true : undefined,
    );
    const asking = Promise.all([first, ...Array.from({ length: REQUESTS - 1 }, (_, n) => ask(n))]);
    await until('requests to be under way', async () =>
      (await tool<Balance>('balance', '--user', userId)).openHolds > 2 ? true : undefined,
    );
    await servers[1]?.kill();
    const statuses = await asking;
    expect(statuses, 'somebody was cut off').to.include(0);
    expect(statuses.filter((status) => status === 200).length).to.be.greaterThan(0);
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

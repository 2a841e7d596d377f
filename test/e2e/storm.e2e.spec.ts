import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiClient, type ApiClient } from '../support/api-client.ts';
import { startInstances, type Instances } from '../support/instances.ts';
import { patientClient, type Outcome } from '../support/patient-client.ts';
import { runTool, signIn, until } from '../support/running-server.ts';
import { bodyOf, endsOf, quickBodyOf, requestIdOf, tallied, wave, type Person, type Wave } from '../support/waves.ts';

type Books = Readonly<{ hash: string; balanced: boolean; discrepancies: readonly unknown[]; through: string }>;
type Balance = Readonly<{ availableMicro: string; heldUsd: string; shortfallUsd: string; openHolds: number }>;
type Event = Readonly<{ type: string; data: Readonly<Record<string, unknown>> }>;
type Run = Readonly<{ proven: Readonly<{ issues: number; events: number }> | null }>;
type Charge = Readonly<{ requestId: string; cost: number }>;

/** Requests at once on a balance for a hundred. The full size: `STORM_REQUESTS=10000 npm test -- storm.e2e`. */
const REQUESTS = Number(process.env['STORM_REQUESTS'] ?? 1_200);
const PAID_FOR = 100;
/** Requests that all go to one instance, the one that is killed with the stores. */
const ON_ONE = REQUESTS / 4;
/** Requests of somebody who can pay for them all. */
const OTHERS = 60;
const SIGNUP = 1_000;

/** As many at once as there are; the limits are tested elsewhere. */
const ENV = {
  FREE_CREDITS_AMOUNT: (SIGNUP / 1e6).toFixed(6),
  RATE_LIMIT_MAX_REQUESTS: '10000000',
  MAX_CONCURRENT_STREAMS_PER_USER: '100000',
};

const costOf = (charge: Pick<Event, 'data'> | undefined): number =>
  Number((charge?.data['metered'] as { cost?: string } | undefined)?.cost);
const sum = (charges: readonly Charge[]): number => charges.reduce((all, { cost }) => all + cost, 0);

describe(`${REQUESTS} requests at once on a balance for ${PAID_FOR}, on three instances that die`, function () {
  this.timeout(600_000);
  let instances: Instances;
  /** Each with a balance for a hundred; one of them asks one instance only. */
  let poor: Person;
  let lone: Person;
  let rich: Person;
  let admin: ApiClient;
  /** What each request costs, and what is held for it, in micro-USD. */
  let cost: number;
  let held: number;
  let stormed: readonly Outcome[];
  let onOne: readonly Outcome[];
  let blackedOut: readonly Outcome[];
  let deployed: readonly Outcome[];
  const exitCodes: (number | null)[] = [];

  const tool = async <T>(...args: readonly string[]): Promise<T> => {
    const { code, stdout, stderr } = await runTool(instances.dataDir, 'finance', [...args, '--json']);
    expect(code, `${args.join(' ')}: ${stderr}${stdout}`).to.equal(0);
    return JSON.parse(stdout) as T;
  };

  const eventsOf = async (api: ApiClient, enough: (events: readonly Event[]) => boolean): Promise<readonly Event[]> => {
    const own = (frames: readonly { data: unknown }[]): readonly Event[] =>
      frames.map(({ data }) => data as Event).filter(({ data }) => typeof data === 'object');
    return own(await api.events((frames) => enough(own(frames))));
  };
  const ofType = (events: readonly Event[], type: string): readonly Event[] =>
    events.filter((event) => event.type === type);
  const chargesOf = async (api: ApiClient, count: number): Promise<readonly Charge[]> => {
    const events = await eventsOf(api, (all) => ofType(all, 'ReservationCaptured').length >= count);
    return ofType(events, 'ReservationCaptured').map(({ data }) => ({
      requestId: String(data['reservationId']),
      cost: costOf({ data }),
    }));
  };
  const reservations = (events: readonly Event[]): number => ofType(events, 'FundsReserved').length;
  /** Waits until money was put on hold so often for somebody. */
  const heldFor = (api: ApiClient, count: number): Promise<readonly Event[]> =>
    eventsOf(api, (all) => reservations(all) >= count);

  const person = async (name: string): Promise<Person> => {
    const token = await signIn(instances.server(0), `${name}@example.test`);
    const api = apiClient(instances.urls[0] ?? '', token);
    const { id: userId } = await api.get<{ id: string }>('/api/auth/userinfo');
    return { userId, api, client: patientClient(token) };
  };

  const grant = async ({ userId }: Person, micro: number): Promise<void> => {
    const body = { user_id: userId, amount: (micro / 1e6).toFixed(6), expires_in_days: 30, reason: 'support' };
    const key = { 'Idempotency-Key': randomUUID() };
    const answer = await admin.call('POST', '/api/billing/credits/admin/grant', body, key);
    expect(answer.status, await answer.text()).to.equal(200);
  };

  /** Two of the three are killed while the requests are being decided, and come back. Answers when most are decided. */
  const storm = async (): Promise<Wave> => {
    const begun = wave(poor, instances.urls, REQUESTS);
    const decided = (count: number): Promise<true> =>
      until('requests to be decided', () => (begun.decided() >= count ? true : undefined), 300_000);
    const dying = [1, 2].map(async (n) => {
      await decided((REQUESTS * n) / 5);
      await instances.server(n).kill();
      await instances.start(n);
    });
    await Promise.all([...dying, decided(REQUESTS * 0.9)]);
    return begun;
  };

  /** The event store, the database and their instance are killed at once, and come back. */
  const blackOut = async (): Promise<readonly [Wave, Wave]> => {
    const alone = wave(lone, instances.urls.slice(0, 1), ON_ONE);
    const begun = wave(rich, instances.urls, OTHERS);
    await heldFor(lone.api, 1);
    await heldFor(rich.api, OTHERS / 2);
    await instances.cutPower();
    await instances.start(0);
    return [begun, alone];
  };

  /** An instance is told to end, as a deploy does it, and comes back. */
  const deploy = async (): Promise<Wave> => {
    const before = reservations(await heldFor(rich.api, OTHERS / 2));
    const begun = wave(rich, instances.urls, OTHERS);
    await heldFor(rich.api, before + OTHERS / 2);
    exitCodes.push(await instances.server(2).terminate());
    await instances.start(2);
    return begun;
  };

  before(async () => {
    instances = await startInstances(3, ENV);
    const token = await signIn(instances.server(0), 'admin@example.test', '--admin');
    admin = apiClient(instances.urls[0] ?? '', token);
    [poor, rich, lone] = await Promise.all([person('poor'), person('rich'), person('lone')]);
    await patientClient(token).ask(instances.urls, 0, { key: randomUUID(), bodyOf });
    const probed = await eventsOf(admin, (all) => ofType(all, 'ReservationCaptured').length === 1);
    cost = costOf(ofType(probed, 'ReservationCaptured')[0]);
    held = Number(ofType(probed, 'FundsReserved')[0]?.data['held']);
    // The hold is what the last of the hundred needs, and too little for one more when it has been charged.
    for (const one of [poor, lone]) await grant(one, (PAID_FOR - 1) * cost + held - SIGNUP);
    await grant(rich, 10 * OTHERS * held);

    const since = performance.now();
    const waves = [await storm(), ...(await blackOut()), await deploy()];
    const ended = await Promise.all(waves.map(({ outcomes }) => outcomes));
    [stormed = [], blackedOut = [], onOne = [], deployed = []] = ended;
    const seconds = ((performance.now() - since) / 1_000).toFixed(0);
    console.log(`      in ${seconds} s: ${tallied(stormed.map(({ end }) => end))}`);
    console.log(`      met: ${tallied(stormed.flatMap(({ met }) => met))}`);
  });

  after(async () => {
    for (const { client } of [poor, rich, lone]) client.close();
    await instances.stop();
  });

  it('are served or refused, each in the words of the contract', () => {
    const all = [...stormed, ...onOne, ...blackedOut, ...deployed];
    const { odd = [] } = endsOf(all);
    expect(odd.map(({ status, body, met }) => [status, body.slice(0, 300), met])).to.deep.equal([]);
    const met = new Set(all.flatMap((outcome) => outcome.met));
    for (const wrong of ['late', '429 without Retry-After', '503 without Retry-After'])
      expect([...met]).to.not.include(wrong);
    for (const { body } of endsOf(all).short ?? []) expect(body).to.contain('"error_type":"credit_insufficient"');
    expect(
      stormed.flatMap((outcome) => outcome.met),
      'somebody was cut off',
    ).to.include('unheard');
  });

  /** What was charged is what was paid for: neither more nor, in the end, less. */
  const mustBeExact = async (somebody: Person, outcomes: readonly Outcome[]): Promise<void> => {
    const { served = [], lost = [] } = endsOf(outcomes);
    let count = served.length + lost.length;
    // What the dead held and gave back pays for others, until there is none.
    for (let next: Outcome['end'] = 'served'; next === 'served';) {
      ({ end: next } = await somebody.client.ask(instances.urls, count, { key: randomUUID(), bodyOf: quickBodyOf }));
      if (next === 'served') count += 1;
    }
    expect(count).to.equal(PAID_FOR);
    const charges = await chargesOf(somebody.api, PAID_FOR);
    expect(charges).to.have.length(PAID_FOR);
    expect(new Set(charges.map((charge) => charge.cost))).to.deep.equal(new Set([cost]));
    expect(new Set(charges.map(({ requestId }) => requestId))).to.include.all.keys(...served.map(requestIdOf));
    const balance = await tool<Balance>('balance', '--user', somebody.userId);
    const left = (PAID_FOR - 1) * cost + held - sum(charges);
    expect(left).to.be.at.least(0);
    expect(balance).to.include({ availableMicro: String(left), heldUsd: '0', shortfallUsd: '0', openHolds: 0 });
  };

  it('are charged exactly as often as it was paid for, and overshoot by nothing', async () => {
    await mustBeExact(poor, stormed);
  });

  it('nor do they overshoot where all go to one instance, which is killed with its stores', async () => {
    expect(
      onOne.flatMap(({ met }) => met),
      'somebody was cut off',
    ).to.include('unheard');
    await mustBeExact(lone, onOne);
  });

  it('are all served when there is money, once each, though the stores were killed and an instance was replaced', async () => {
    const all = [...blackedOut, ...deployed];
    expect(all.map(({ end }) => end).filter((end) => end !== 'served' && end !== 'lost')).to.deep.equal([]);
    const charges = await chargesOf(rich.api, all.length);
    expect(charges).to.have.length(all.length);
    const { served = [] } = endsOf(all);
    expect(new Set(charges.map(({ requestId }) => requestId))).to.include.all.keys(...served.map(requestIdOf));
    const balance = await tool<Balance>('balance', '--user', rich.userId);
    const left = SIGNUP + 10 * OTHERS * held - sum(charges);
    expect(balance).to.include({ availableMicro: String(left), heldUsd: '0', shortfallUsd: '0', openHolds: 0 });
  });

  it('notice nothing of a deploy but a connection that has to be made anew', () => {
    expect(exitCodes).to.deep.equal([0]);
    expect(new Set(deployed.map(({ end }) => end))).to.deep.equal(new Set(['served']));
    expect(deployed.flatMap(({ met }) => met)).to.not.include('cut');
  });

  it('charge what was said when a client goes away, on whichever instance that was', async () => {
    const token = await signIn(instances.server(0), 'leaver@example.test');
    const apis = instances.urls.map((url) => apiClient(url, token));
    const ask = (api: ApiClient) => api.completion('[[sandbox delay=50 tokens=60]] on and on', { stream: true });
    for (const api of apis) {
      const reader = (await ask(api)).body!.getReader();
      // The second piece and those after it are content.
      for (let pieces = 0; pieces < 4; pieces += 1) await reader.read();
      await reader.cancel();
    }
    await (await ask(apis[0]!)).text();
    const charges = await chargesOf(apis[1]!, apis.length + 1);
    const whole = Math.max(...charges.map((charge) => charge.cost));
    expect(charges.filter((charge) => charge.cost > 0 && charge.cost < whole)).to.have.length(apis.length);
    const left = ((SIGNUP - sum(charges)) / 1e6).toFixed(6);
    await until('the same balance everywhere', async () => {
      const shown = apis.map((api) => api.get<{ freeCreditBalance: string }>('/api/billing/credits/balance'));
      const all = await Promise.all(shown);
      return all.every(({ freeCreditBalance }) => Number(freeCreditBalance) === Number(left)) ? true : undefined;
    });
  });

  it('leave books that balance, agree with every account, and replay to the same hash', async () => {
    const first = await tool<Books>('replay');
    expect(first).to.deep.include({ balanced: true, discrepancies: [] });
    const again = await tool<Books>('replay', '--to-position', first.through);
    expect(again.hash).to.equal(first.hash);
    expect((await tool<Books>('trial-balance', '--as-of', first.through)).hash).to.equal(first.hash);
    const { closingUsd } = await tool<{ closingUsd: string }>('statement', '--user', poor.userId);
    expect(Math.round(Number(closingUsd) * 1e6)).to.equal(held - cost);
    const found: string[] = [];
    const agree = async (): Promise<true | undefined> => {
      const { code, stdout, stderr } = await runTool(instances.dataDir, 'finance', ['reconcile']);
      found.push(`${stderr}${stdout}`);
      return code === 0 ? true : undefined;
    };
    await until('the read models to agree', agree).catch(async (error: unknown) => {
      const { stdout } = await runTool(instances.dataDir, 'projections', ['status']);
      expect.fail(`${String(error)}: ${found.join('\n')}\n${stdout}`);
    });
  });

  it('are proven as a whole, which is written down', async () => {
    const run = await tool<Run>('prove');
    expect(run.proven).to.include({ issues: 0 });
    expect(run.proven?.events).to.be.greaterThan(100);
    const today = new Date().toISOString().slice(0, 10);
    const day = await admin.get<{ runs: readonly Run[] }>(`/api/admin/audit/reconciliations/${today}`);
    expect(day.runs.at(-1)).to.deep.equal(run);
    expect((await tool<readonly Run[]>('proven')).at(-1)).to.deep.equal(run);
    const { code } = await runTool(instances.dataDir, 'finance', ['proven', '--day', '2020-01-01']);
    expect(code).to.equal(1);
  });

  it('are sealed, and proven to whoever has nothing but the proof', async () => {
    const audit = (...args: readonly string[]) => runTool(instances.dataDir, 'audit', args);
    const stream = `creditAccount-${poor.userId}`;
    const proven = await until(
      'the first events to be sealed',
      async () => {
        const run = await audit('prove', '--stream', stream, '--revision', '0');
        return run.code === 0 ? run.stdout : undefined;
      },
      90_000,
    );
    const files = mkdtempSync(join(tmpdir(), 'audit-'));
    const file = (name: string, text: string): string => {
      writeFileSync(join(files, name), text);
      return join(files, name);
    };
    const kept = file('seal.json', (await audit('seal')).stdout);
    const whole = await audit('verify', '--seal', kept, '--json');
    expect(whole.code, whole.stdout).to.equal(0);
    const { seals } = JSON.parse(whole.stdout) as { seals: { seals: number; keys: readonly [string] } };
    expect(seals.keys).to.have.length(1);
    expect(seals.seals).to.be.greaterThan(0);

    const [key] = seals.keys;
    const good = await audit('check', file('proof.json', proven), '--key', key);
    expect([good.code, good.stderr]).to.deep.equal([0, '']);
    expect(good.stdout).to.contain(`CreditAccountOpened (${stream}@0`);
    const altered = await audit('check', file('altered.json', proven.replace(poor.userId, rich.userId)));
    expect([altered.code, altered.stderr.trim()]).to.deep.equal([1, 'the proof does not hold']);
    expect((await audit('check', kept)).code).to.equal(2);
    expect((await audit('verify', '--key', 'another')).code).to.equal(1);

    const path = `/api/admin/audit/proofs/${stream}`;
    expect(JSON.stringify(await admin.get(`${path}/0`))).to.equal(proven.trim());
    expect((await admin.call('GET', `${path}/999999`)).status).to.equal(404);
    expect((await admin.call('GET', `${path}/first`)).status).to.equal(404);
    expect((await rich.api.call('GET', `${path}/0`)).status).to.equal(403);
    expect(await admin.get('/api/admin/audit/seals/latest')).to.include({ keyId: key });
    rmSync(files, { recursive: true });
  });
});

import { expect } from 'chai';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownSecrets } from '../../infra/embedded/data-dir/secrets.ts';
import { localPaymentKeys } from '../../src/app/local-payments.ts';
import * as wire from '../billing/wire-shapes.ts';
import { submit, telling } from '../purchases/world.ts';
import { apiClient, type ApiClient } from '../support/api-client.ts';
import {
  runTool,
  signIn,
  startServer,
  temporaryDataDir,
  until,
  type RunningServer,
} from '../support/running-server.ts';

type Json = Readonly<Record<string, unknown>>;

const COPIES = 10;

const shuffled = <T>(items: readonly T[]): readonly T[] =>
  items
    .map((item) => ({ item, at: Math.random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** What Stripe sends when it can send nothing: each answer of ours when it is away, by how the desktop reads it. */
const ENDPOINTS: readonly (readonly [string, string, unknown, number, { parse: (body: unknown) => unknown } | null])[] =
  [
    ['GET', '/dashboard', undefined, 200, wire.dashboard],
    [
      'GET',
      '/usage-summary?start_date=2026-01-01T00:00:00Z&end_date=2027-01-01T00:00:00Z',
      undefined,
      200,
      wire.usageSummary,
    ],
    ['GET', '/auto-top-off-settings', undefined, 200, wire.autoTopOff],
    ['POST', '/auto-top-off-settings', { enabled: false }, 200, wire.autoTopOff],
    ['POST', '/create-portal-session', undefined, 502, null],
    ['GET', '/payment-methods', undefined, 200, wire.paymentMethods],
    ['GET', '/stripe/publishable-key', undefined, 200, wire.publishableKey],
    ['GET', '/invoices', undefined, 200, wire.invoices],
    ['POST', '/checkout/custom-credit-session', { amount: 20 }, 502, null],
    ['POST', '/checkout/setup-session', undefined, 502, null],
    ['GET', '/checkout/session-status/:known', undefined, 200, wire.sessionStatus],
    ['GET', '/credits/balance', undefined, 200, wire.creditBalance],
    ['GET', '/credits/details', undefined, 200, wire.creditDetails],
    ['GET', '/credits/unified-history', undefined, 200, wire.unifiedHistory],
    ['POST', '/credits/admin/adjust', undefined, 200, wire.adjusted],
    ['GET', '/credits/purchase-fee-tiers', undefined, 200, wire.feeTiers],
    ['GET', '/usage/providers', undefined, 200, wire.providerUsage],
  ];

describe('paying on three instances', function () {
  this.timeout(300_000);
  const dirs = [temporaryDataDir(), temporaryDataDir(), temporaryDataDir()];
  const dataDir = dirs[0]!.path;
  const env = { FREE_CREDITS_AMOUNT: '0' };
  const servers: RunningServer[] = [];
  let token: string;
  let clients: readonly ApiClient[];
  let shop: string;
  let lastSession = '';

  const tell = (what: string, told: Json = {}): Promise<unknown> => telling(shop)(what, told);
  const list = async (what: string): Promise<readonly Json[]> => (await tell(what)) as readonly Json[];
  const ask = async (n: number, method: string, path: string, body?: unknown): Promise<Json> => {
    const response = await clients[n % 3]!.call(method, `/api/billing${path}`, body);
    const text = await response.text();
    expect(response.status, `${path}: ${text}`).to.equal(200);
    return JSON.parse(text) as Json;
  };
  const credit = async (n = 0): Promise<number> => Number((await ask(n, 'GET', '/dashboard'))['creditBalanceUsd']);
  /** Pays on the page of a purchase begun on one of the instances; gives the payment. */
  const buy = async (n: number, amount: number, method = 'card'): Promise<string> => {
    const session = await ask(n, 'POST', '/checkout/custom-credit-session', { amount });
    lastSession = String(session['sessionId']);
    const answer = await submit(`${String(session['url'])}/pay`, { method });
    expect(answer.status).to.equal(303);
    return String((await list('intents'))[0]?.['id']);
  };
  /** Hands a notice in to an instance as Stripe does: again, at another one, until it was taken. */
  const deliver = async (event: Json, n: number): Promise<void> => {
    const body = JSON.stringify(event);
    const { webhookSecret } = localPaymentKeys(ownSecrets(dataDir));
    for (let tries = 0; tries < 10; tries += 1) {
      const time = Math.floor(Date.now() / 1000);
      const signature = createHmac('sha256', webhookSecret).update(`${time}.${body}`).digest('hex');
      const headers = { 'content-type': 'application/json', 'stripe-signature': `t=${time},v1=${signature}` };
      const { url } = servers[(n + tries) % 3]!;
      const answer = await fetch(`${url}/webhooks/stripe`, { method: 'POST', body, headers }).catch(() => undefined);
      await answer?.arrayBuffer();
      if (answer?.status === 200) return;
    }
    throw new Error('nobody took a notice');
  };
  const deliverAll = async (events: readonly Json[]): Promise<void> => {
    const all = shuffled(Array.from({ length: COPIES }, () => events).flat());
    const next = all.entries();
    const work = async (): Promise<void> => {
      for (const [n, event] of next) await deliver(event, n);
    };
    await Promise.all(Array.from({ length: 12 }, work));
  };
  const books = async (): Promise<Json> => {
    const { code, stdout, stderr } = await runTool(dataDir, 'finance', ['replay', '--json']);
    expect(code, stdout + stderr).to.equal(0);
    return JSON.parse(stdout) as Json;
  };
  const settled = (): Promise<true> =>
    until(
      'every notice to be worked on, and the read models to agree',
      async () => ((await runTool(dataDir, 'finance', ['reconcile'])).code === 0 ? true : undefined),
      60_000,
    );

  before(async () => {
    servers.push(await startServer(dataDir, env));
    const joined = dirs.slice(1).map(({ path }) => startServer(path, { ...env, JOIN: dataDir }));
    servers.push(...(await Promise.all(joined)));
    token = await signIn(servers[0]!, 'three-payers@example.test');
    clients = servers.map(({ url }) => apiClient(url, token));
    shop = (JSON.parse(readFileSync(join(dataDir, 'runtime.json'), 'utf8')) as { paymentsUrl: string }).paymentsUrl;
    await tell('knobs', { settle: -1 });
    const setup = await ask(1, 'POST', '/checkout/setup-session');
    await submit(`${String(setup['url'])}/save`, { method: 'card' });
    await until('the card is known', async () =>
      (await ask(2, 'GET', '/dashboard'))['isPaymentMethodRequired'] === false ? true : undefined,
    );
  });
  after(async () => {
    // The first one runs the stores: it goes last.
    for (const server of servers.toReversed()) await server.stop();
    for (const dir of dirs) dir.remove();
  });

  it('gives one lot for each purchase, whatever notices come ten times in any order, over a kill', async () => {
    // The provider itself says nothing: the test hands in what there is to be said.
    await tell('knobs', { copies: 0 });
    const before = new Set((await list('events')).map(({ id }) => id));
    await buy(0, 20);
    await tell('refund', { payment_intent: await buy(1, 10), amount: 595 });
    const won = (await tell('dispute', { payment_intent: await buy(2, 10) })) as Json;
    await tell('close-dispute', { dispute: won['id'], won: true });
    await tell('settle', { payment_intent: await buy(0, 10, 'slow'), succeeded: true });
    await tell('settle', { payment_intent: await buy(1, 10, 'slow'), succeeded: false });
    const events = (await list('events')).filter(({ id }) => !before.has(id));
    expect(events.map(({ type }) => type)).to.include.members([
      ...['checkout.session.completed', 'payment_intent.succeeded', 'charge.refunded', 'charge.dispute.closed'],
      ...['checkout.session.async_payment_succeeded', 'checkout.session.async_payment_failed', 'invoice.paid'],
    ]);

    const delivering = deliverAll(events);
    await until('work on the notices', async () => ((await credit()) > 0 ? true : undefined));
    await servers[2]!.kill();
    await delivering;
    servers[2] = await startServer(dirs[2]!.path, { ...env, JOIN: dataDir });
    clients = servers.map(({ url }) => apiClient(url, token));
    // 18, 8 less half of it, 8 won back, 8 by bank debit, nothing of the one that failed.
    await until('everything is credited', async () => ((await credit(2)) === 38 ? true : undefined), 60_000);
    await settled();
    const { transactions } = (await ask(1, 'GET', '/credits/details?limit=100')) as { transactions: readonly Json[] };
    expect(transactions.filter((line) => line['transactionType'] === 'purchase')).to.have.length(4);

    const first = await books();
    expect(first).to.deep.include({ balanced: true, discrepancies: [] });
    await deliverAll(events);
    await settled();
    expect((await books())['hash']).to.equal(first['hash']);
    await tell('knobs', { copies: 1 });
  });

  it('buys once by itself when twenty requests end below the threshold, over a kill', async () => {
    const before = (await list('intents')).length;
    const had = await credit();
    const settings = { enabled: true, threshold: String(had), amount: '20' };
    await Promise.all([0, 1, 2].map((n) => ask(n, 'POST', '/auto-top-off-settings', settings)));
    const spend = async (n: number): Promise<string> => {
      try {
        const response = await clients[n % 3]!.completion('[[sandbox tokens=20]] spend a little', { stream: true });
        return await response.text();
      } catch {
        return 'the instance was killed';
      }
    };
    const requests = Promise.all(Array.from({ length: 20 }, (_, n) => spend(n)));
    await until('the trigger', async () => ((await list('intents')).length > before ? true : undefined), 60_000);
    await servers[1]!.kill();
    await requests;
    servers[1] = await startServer(dirs[1]!.path, { ...env, JOIN: dataDir });
    clients = servers.map(({ url }) => apiClient(url, token));
    await until('the balance is topped up', async () => ((await credit(1)) > had + 17 ? true : undefined), 90_000);
    await settled();
    expect(await list('intents')).to.have.length(before + 1);
    expect((await books())['balanced']).to.equal(true);
  });

  it('tells the user once when the bank wants to hear from them, and charges nothing more', async () => {
    const [customer] = await list('customers');
    const portal = `${shop}/portal/${String(customer?.['id'])}`;
    await submit(portal, { do: 'add', method: 'needs_action' });
    const added = await until('the card is known', async () => {
      const { methods } = (await ask(0, 'GET', '/payment-methods')) as { methods: readonly Json[] };
      return methods.find(({ card }) => (card as Json | null)?.['last4'] === '3155');
    });
    await submit(portal, { do: 'default', id: String(added['id']) });
    await until('it is the default one', async () => {
      const { methods } = (await ask(2, 'GET', '/payment-methods')) as { methods: readonly Json[] };
      return methods.find(({ id }) => id === added['id'])?.['isDefault'] === true ? true : undefined;
    });
    await ask(0, 'POST', '/auto-top-off-settings', { enabled: true, threshold: '500', amount: '20' });
    const frames = await clients[1]!.events((all) =>
      all.some(
        ({ event, data }) => event === 'NotificationRequested' || (data as Json)['type'] === 'NotificationRequested',
      ),
    );
    const said = JSON.stringify(frames);
    expect(said).to.contain('TopOffSuspended');
    expect(said).to.contain('authentication_required');
    // The list is another read model than the events.
    const told = await until('the list to show it', async () => {
      const { notifications } = await clients[2]!.get<{ notifications: readonly Json[] }>('/api/notifications');
      const payments = notifications.filter((one) => JSON.stringify(one).includes('"payment"'));
      return payments.length > 0 ? payments : undefined;
    });
    expect(told).to.have.length(1);
    expect((await list('invoices')).filter(({ status }) => status === 'open')).to.deep.equal([]);
  });

  it('answers all seventeen endpoints while the payment provider is away', async () => {
    const admin = apiClient(servers[1]!.url, await signIn(servers[1]!, 'boss@example.test', '--admin'));
    const { id: userId } = await clients[0]!.get<{ id: string }>('/api/auth/userinfo');
    await tell('knobs', { fail: 10_000 });
    const opened = (await list('sessions')).length;
    for (const [method, path, body, status, shape] of ENDPOINTS) {
      const isAdmin = path.includes('admin') || path.startsWith('/usage/');
      const adjusting = { user_id: userId, amount: '1', transaction_type: 'adjustment', description: 'sorry' };
      const response = await (isAdmin ? admin : clients[0]!).call(
        method,
        `/api/billing${path.replace(':known', lastSession)}`,
        path.includes('adjust') ? adjusting : body,
      );
      const answer = (await response.json()) as Json;
      expect(response.status, `${method} ${path}: ${JSON.stringify(answer)}`).to.equal(status);
      if (shape === null) expect(answer).to.include({ code: 502, error_type: 'external_service_error' });
      else shape.parse(answer);
    }
    await tell('knobs', { fail: 0 });
    expect(await list('sessions')).to.have.length(opened);
    await buy(0, 5);
  });
});

import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as wire from '../billing/wire-shapes.ts';
import {
  runTool,
  signIn,
  startServer,
  temporaryDataDir,
  until,
  type RunningServer,
} from '../support/running-server.ts';

type Json = Readonly<Record<string, unknown>>;

/** What a browser does with a form of the local payment pages: the answer's next address, or its text. */
const submit = async (url: string, fields: Readonly<Record<string, string>>): Promise<Response> =>
  fetch(url, { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' });

const ADDRESS = {
  name: 'Ada Lovelace',
  line1: '1 Example Street',
  city: 'Springfield',
  postal_code: '12345',
  country: 'US',
};

/** How the desktop reads each answer: a key too many, too few or of another type is an error. */
const SHAPES: readonly (readonly [RegExp, { parse: (body: unknown) => unknown }])[] = [
  [/^GET \/dashboard$/, wire.dashboard],
  [/ \/auto-top-off-settings$/, wire.autoTopOff],
  [/^GET \/payment-methods/, wire.paymentMethods],
  [/^GET \/invoices/, wire.invoices],
  [/^POST \/checkout\/(custom-credit|setup)-session$/, wire.checkoutSession],
  [/^GET \/checkout\/session-status\//, wire.sessionStatus],
  [/^GET \/stripe\/publishable-key$/, wire.publishableKey],
  [/^POST \/create-portal-session$/, wire.portal],
  [/^GET \/credits\/details/, wire.creditDetails],
  [/^GET \/credits\/balance$/, wire.creditBalance],
  [/^GET \/credits\/unified-history/, wire.unifiedHistory],
];

const shapeOf = (method: string, path: string) => {
  const found = SHAPES.find(([of]) => of.test(`${method} ${path}`));
  if (found === undefined) throw new Error(`nobody says how ${method} ${path} is read`);
  return found[1];
};

describe('buying credit on a server that nobody configured', function () {
  this.timeout(180_000);
  const data = temporaryDataDir();
  let server: RunningServer;
  let token: string;

  const call = async (method: string, path: string, body?: unknown): Promise<{ status: number; body: Json }> => {
    const response = await fetch(`${server.url}/api/billing${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Json };
  };
  const ok = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const answer = await call(method, path, body);
    expect(answer.status, JSON.stringify(answer.body)).to.equal(200);
    shapeOf(method, path).parse(answer.body);
    return answer.body;
  };
  /** Balances, lots, ledger and journal agree, and debits equal credits, as often as they are asked. */
  const booksAgree = async (): Promise<void> => {
    const trial = await runTool(data.path, 'finance', ['trial-balance', '--json']);
    expect(trial.code, trial.stdout + trial.stderr).to.equal(0);
    expect(JSON.parse(trial.stdout)).to.deep.include({ balanced: true, unbalanced: [] });
    await until('the read models to agree', async () =>
      (await runTool(data.path, 'finance', ['reconcile'])).code === 0 ? true : undefined,
    );
  };
  const shop = (): string =>
    (JSON.parse(readFileSync(join(data.path, 'runtime.json'), 'utf8')) as { paymentsUrl: string }).paymentsUrl;
  const tell = async (what: string, told: Json): Promise<unknown> => {
    const headers = { 'content-type': 'application/json' };
    return (await fetch(`${shop()}/_double/${what}`, { method: 'POST', headers, body: JSON.stringify(told) })).json();
  };
  const status = (id: unknown): Promise<Json> => ok('GET', `/checkout/session-status/${String(id)}`);
  const addCard = async (): Promise<void> => {
    const setup = await ok('POST', '/checkout/setup-session');
    const page = await (await fetch(String(setup['url']))).text();
    expect(page).to.contain('Add a payment method');
    const saved = await submit(`${String(setup['url'])}/save`, { method: 'card', ...ADDRESS });
    expect(saved.headers.get('location')).to.contain(
      `/billing/payment-method/success?session_id=${String(setup['sessionId'])}`,
    );
    await until('the card is known', async () =>
      (await ok('GET', '/dashboard'))['isPaymentMethodRequired'] === false ? true : undefined,
    );
  };
  const buy = async (amount: number, method = 'card'): Promise<Json> => {
    const session = await ok('POST', '/checkout/custom-credit-session', { amount });
    const paid = await submit(`${String(session['url'])}/pay`, { method, ...ADDRESS });
    expect(paid.status, await paid.text()).to.equal(303);
    return session;
  };
  const leave = async (): Promise<{ status: number; body: Json }> => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${server.url}/api/auth/account`, { method: 'DELETE', headers });
    return { status: response.status, body: (await response.json()) as Json };
  };
  const finished = (session: Json): Promise<Json> =>
    until('the purchase is credited', async () => {
      const now = await status(session['sessionId']);
      return now['paymentStatus'] === 'paid' ? now : undefined;
    });

  before(async () => {
    server = await startServer(data.path);
    token = await signIn(server, 'buyer@example.test');
  });
  after(async () => {
    await server.stop();
    data.remove();
  });

  it('asks for a payment method first', async () => {
    const { status: code, body } = await call('POST', '/checkout/custom-credit-session', { amount: 20 });
    expect(code).to.equal(402);
    expect(body['error_type']).to.equal('payment_method_required');
  });

  it('takes a card and an address on the local page', async () => {
    await addCard();
    const dashboard = await ok('GET', '/dashboard');
    expect(dashboard).to.include({ isPaymentMethodRequired: false, isBillingInfoRequired: false });
    expect(dashboard['customerBillingInfo']).to.include({ customerName: 'Ada Lovelace', hasBillingInfo: true });
    const methods = await ok('GET', '/payment-methods');
    expect(methods).to.include({ totalMethods: 1, hasDefault: true });
    await ok('GET', '/stripe/publishable-key');
    const portal = await ok('POST', '/create-portal-session');
    expect((await fetch(String(portal['url']))).status).to.equal(200);
  });

  it('credits what was paid, less the fee', async () => {
    const session = await buy(20);
    expect(await finished(session)).to.include({ status: 'complete', customerEmail: 'buyer@example.test' });
    expect((await ok('GET', '/dashboard'))['creditBalanceUsd']).to.equal(18);
    const { invoices } = (await ok('GET', '/invoices')) as { invoices: Json[] };
    expect(invoices[0]).to.include({ amountPaid: 2000, amountPaidDisplay: '20.00', status: 'paid', currency: 'usd' });
    const history = (await ok('GET', '/credits/unified-history')) as { entries: Json[] };
    expect(history.entries.find((entry) => entry['transactionType'] === 'purchase')).to.include({ price: 18 });
    await ok('GET', '/credits/balance');
    await booksAgree();
  });

  it('leaves everything readable while the payment provider is away', async () => {
    await tell('knobs', { fail: 1000 });
    expect((await ok('GET', '/dashboard'))['creditBalanceUsd']).to.equal(18);
    expect((await call('POST', '/checkout/custom-credit-session', { amount: 20 })).status).to.equal(502);
    await ok('GET', '/invoices');
    await ok('GET', '/payment-methods');
    await tell('knobs', { fail: 0 });
  });

  it('shows no page to anybody but its owner', async () => {
    const session = await buy(5);
    await finished(session);
    const mine = token;
    token = await signIn(server, 'somebody-else@example.test');
    const { status: code } = await call('GET', `/checkout/session-status/${String(session['sessionId'])}`);
    expect(code).to.equal(404);
    expect((await call('GET', '/invoices?starting_after=in_1%26customer%3Dcus_x')).status).to.equal(400);
    expect((await call('GET', '/invoices?starting_after=in_1&customer=cus_x')).status).to.equal(400);
    token = mine;
  });

  it('credits a bank debit when its money is there and not before', async () => {
    const before = Number((await ok('GET', '/dashboard'))['creditBalanceUsd']);
    await tell('knobs', { settle: -1 });
    const session = await buy(10, 'slow');
    await until('the debit is under way', async () =>
      (await status(session['sessionId']))['status'] === 'complete' ? true : undefined,
    );
    expect((await status(session['sessionId']))['paymentStatus']).to.equal('unpaid');
    expect((await ok('GET', '/dashboard'))['creditBalanceUsd']).to.equal(before);
    const leaving = await leave();
    expect(leaving.status).to.equal(409);
    expect(leaving.body).to.include({ error_type: 'billing_conflict' });
    const intents = (await tell('intents', {})) as readonly Json[];
    await tell('settle', { payment_intent: intents[0]?.['id'], succeeded: true });
    await finished(session);
    expect((await ok('GET', '/dashboard'))['creditBalanceUsd']).to.equal(before + 8);
  });

  it('gives the same books however often and in whatever order notices come again, over a kill', async () => {
    const intents = (await tell('intents', {})) as readonly Json[];
    const paid = intents.filter((intent) => intent['status'] === 'succeeded');
    await tell('refund', { payment_intent: paid.at(-1)?.['id'], amount: 1000 });
    await until('the refund is taken back', async () =>
      Number((await ok('GET', '/dashboard'))['creditBalanceUsd']) === 21 ? true : undefined,
    );
    await tell('redeliver', { copies: 5, spread: 500 });
    await server.kill();
    server = await startServer(data.path);
    token = await signIn(server, 'buyer@example.test');
    await tell('redeliver', { copies: 5, spread: 500 });
    const session = await buy(10);
    await finished(session);
    expect((await ok('GET', '/dashboard'))['creditBalanceUsd']).to.equal(29);
    const books = (await ok('GET', '/credits/details')) as { transactions: Json[] };
    expect(books.transactions.filter((line) => line['transactionType'] === 'purchase')).to.have.length(4);
    await booksAgree();
  });

  it('buys by itself, once, when the balance is low; and gives up on a card that is declined', async () => {
    const intentsNow = async (): Promise<readonly Json[]> => (await tell('intents', {})) as readonly Json[];
    const before = (await intentsNow()).length;
    const settings = { enabled: true, threshold: '40', amount: '20' };
    const answers = await Promise.all([1, 2, 3, 4].map(() => ok('POST', '/auto-top-off-settings', settings)));
    expect(answers[0]).to.deep.equal(settings);
    await until('the balance is topped up', async () =>
      (await ok('GET', '/dashboard'))['creditBalanceUsd'] === 47 ? true : undefined,
    );
    expect(await intentsNow()).to.have.length(before + 1);
    const [customer] = (await tell('customers', {})) as readonly Json[];
    const portal = `${shop()}/portal/${String(customer?.['id'])}`;
    await submit(portal, { do: 'add', method: 'declined' });
    const added = await until('the new card is known', async () => {
      const { methods } = (await ok('GET', '/payment-methods')) as { methods: readonly Json[] };
      return methods.find((method) => (method['card'] as Json | null)?.['last4'] === '0002');
    });
    await submit(portal, { do: 'default', id: String(added['id']) });
    await until('it is the default one', async () => {
      const { methods } = (await ok('GET', '/payment-methods')) as { methods: readonly Json[] };
      return methods.find((method) => method['id'] === added['id'])?.['isDefault'] === true ? true : undefined;
    });
    await ok('POST', '/auto-top-off-settings', { enabled: true, threshold: '60', amount: '20' });
    await until('a charge is declined', async () => ((await intentsNow()).length === before + 2 ? true : undefined));
    const invoices = await until('its invoice is void', async () => {
      const { invoices: list } = (await ok('GET', '/invoices')) as { invoices: readonly Json[] };
      return list.some((invoice) => invoice['status'] === 'void') ? list : undefined;
    });
    expect(invoices.filter((invoice) => invoice['status'] === 'open')).to.deep.equal([]);
    expect((await ok('GET', '/dashboard'))['creditBalanceUsd']).to.equal(47);
    expect(await intentsNow()).to.have.length(before + 2);
    const off = await ok('POST', '/auto-top-off-settings', { enabled: false });
    expect(off).to.deep.equal({ enabled: false, threshold: '60', amount: '20' });
    expect(await ok('GET', '/auto-top-off-settings')).to.deep.equal(off);
    await booksAgree();
  });

  it('deletes the customer of who leaves, also when the payment provider is away at first', async () => {
    const before = ((await tell('customers', {})) as readonly Json[]).length;
    await tell('knobs', { fail: 6 });
    expect(await leave()).to.deep.equal({ status: 200, body: { status: 'deleted' } });
    await until('the customer is deleted', async () => {
      const left = ((await tell('customers', {})) as readonly Json[]).filter((one) => one['deleted'] !== true);
      return left.length === before - 1 ? true : undefined;
    });
    await booksAgree();
  });
});

import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { startStripeDouble, type StripeDouble } from '../../infra/embedded/stripe-double/double.ts';
import { addPaymentMethod, buyCredit, openPortal } from '../../src/http/routes/payments/checkout.ts';
import { listInvoices, pageStatus, paymentMethods } from '../../src/http/routes/payments/reading.ts';
import type { PaymentDeps } from '../../src/http/routes/payments/deps.ts';
import type { Cause } from '../../src/kernel/message.ts';
import { ada, startHttp, type HttpUnderTest } from '../support/given-http.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { addCard, openAccount, providerAt, SECRET_KEY, world } from './world.ts';

type Json = Readonly<Record<string, unknown>>;
type Ask = (method: string, path: string, headers?: object, body?: unknown) => Promise<{ status: number; body: Json }>;

const over =
  (http: () => HttpUnderTest): Ask =>
  async (method, path, headers = {}, body?) => {
    const response = await fetch(`${http().url}/api/billing${path}`, {
      method,
      headers: { authorization: 'Bearer ada', 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Json };
  };

describe('what is read of paying', () => {
  let http: HttpUnderTest;
  const ask = over(() => http);
  /** What was asked of the read models last, and what they answer. */
  let values: readonly unknown[] = [];
  let rows: readonly unknown[] = [];
  const looks: string[] = [];

  before(async () => {
    const queries: PaymentDeps['queries'] = {
      asUser: (_userId, query) => {
        ({ values } = query.statement);
        return Promise.resolve(query.present(rows as never));
      },
      asSystem: () => Promise.reject(new Error('nobody asks as the system here')),
    };
    const deps = {
      queries,
      lookAgain: (sessionId: string, work: (cause: Cause) => Promise<unknown>) => {
        looks.push(sessionId);
        void work({ at: '', correlationId: '', causationId: '', actor: { kind: 'job', id: '' } });
      },
      purchasing: { reconcile: (id: string) => Promise.resolve(looks.push(id)) },
      profiles: { state: () => Promise.resolve({ customerId: 'cus_1' }) },
      customers: { setupEnded: (...[, , id]: readonly string[]) => Promise.resolve(looks.push(id ?? '')) },
    } as unknown as PaymentDeps;
    http = await startHttp([listInvoices(deps), paymentMethods(deps), pageStatus(deps)]);
  });
  after(() => http.close());

  it('takes any whole number for a page of invoices, within what there can be', async () => {
    for (const [asked, limit] of [
      ['', 50],
      ['?limit=10', 10],
      ['?limit=0', 1],
      ['?limit=-5', 1],
      ['?limit=9999', 100],
    ] as const) {
      expect((await ask('GET', `/invoices${asked}`)).status, asked).to.equal(200);
      expect(values.at(-1), asked).to.equal(limit + 1);
    }
    expect((await ask('GET', '/invoices?limit=ten')).status).to.equal(400);
  });

  it('takes whole numbers for payment methods, and makes nothing of them', async () => {
    expect((await ask('GET', '/payment-methods?limit=-1&offset=3')).status).to.equal(200);
    expect((await ask('GET', '/payment-methods?limit=1.5')).status).to.equal(400);
  });

  it('has a page looked at that may have news, and no other; the answer does not wait for it', async () => {
    const asked = async (row: object) => {
      rows = [row];
      looks.length = 0;
      const { body } = await ask('GET', '/checkout/session-status/cs_1');
      return { paymentStatus: body['paymentStatus'], looks: [...looks] };
    };
    const purchase = { kind: 'payment', purchase_id: 'p_1' };
    expect(await asked({ ...purchase, state: 'open' })).to.deep.equal({
      paymentStatus: 'unpaid',
      looks: ['cs_1', 'p_1'],
    });
    expect(await asked({ ...purchase, state: 'paid' })).to.deep.include({ paymentStatus: 'processing' });
    expect(await asked({ ...purchase, state: 'fulfilled' })).to.deep.equal({ paymentStatus: 'paid', looks: [] });
    const setup = { kind: 'setup', purchase_id: null };
    expect((await asked({ ...setup, state: 'complete' })).looks).to.deep.equal([]);
    rows = [{ ...setup, state: 'open' }];
    await ask('GET', '/checkout/session-status/cs_1');
    await new Promise((resolve) => setImmediate(resolve));
    expect(looks).to.deep.equal(['cs_1', 'cs_1']);
  });
});

describe('pages to pay on', () => {
  let http: HttpUnderTest;
  let double: StripeDouble;
  let here: ReturnType<typeof world>;
  const ask = over(() => http);

  before(async () => {
    const webhookUrl = 'http://127.0.0.1:9/nobody';
    double = await startStripeDouble({ port: 0, secretKey: SECRET_KEY, webhookUrl, webhookSecret: 'whsec_test' });
    here = world(memoryEventStore(), providerAt(double.url));
    await openAccount(here, ada.userId);
    const { provider, profiles, linked: customers, buying: purchasing } = here;
    const deps = { provider, profiles, customers, purchasing, newId: randomUUID } as unknown as PaymentDeps;
    http = await startHttp([addPaymentMethod(deps), openPortal(deps), buyCredit(deps)]);
  });
  after(async () => {
    await http.close();
    await double.stop();
  });

  it('open for somebody whose customer is gone at the provider, with a new one', async () => {
    const key = { 'idempotency-key': 'mine' };
    const first = await ask('POST', '/checkout/setup-session', key);
    expect(await ask('POST', '/checkout/setup-session', key)).to.deep.equal(first);
    for (const path of ['/checkout/setup-session', '/create-portal-session']) {
      const { customerId } = await here.profiles.state(ada.userId);
      await here.provider.deleteCustomer(customerId ?? '');
      expect((await ask('POST', path)).status, path).to.equal(200);
      expect((await here.profiles.state(ada.userId)).customerId).to.not.equal(customerId);
    }
  });

  it('open once for a key, which must be one, for as much as was said first', async () => {
    await addCard(here, ada.userId);
    const key = { 'idempotency-key': 'buy' };
    const first = await ask('POST', '/checkout/custom-credit-session', key, { amount: 20 });
    expect(await ask('POST', '/checkout/custom-credit-session', key, { amount: 20 })).to.deep.equal(first);
    expect((await ask('POST', '/checkout/custom-credit-session', key, { amount: 21 })).status).to.equal(409);
    const long = { 'idempotency-key': 'x'.repeat(256) };
    expect((await ask('POST', '/checkout/custom-credit-session', long, { amount: 20 })).status).to.equal(400);
  });

  it('open ten times a minute for one user, and not for ever', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask('POST', '/create-portal-session')));
    expect(answers.filter(({ status }) => status === 429).length).to.be.greaterThan(0);
  });
});

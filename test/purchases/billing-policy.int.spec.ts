import { expect } from 'chai';
import { purchasePolicyOf, priced } from '../../commands/purchases/fee-tiers.ts';
import { purchaseAggregate } from '../../commands/purchases/index.ts';
import { builtPolicy, livePolicy, type LivePolicy } from '../../src/app/live-policy.ts';
import type { BillingPolicyEvent, FeeTier } from '../../src/events/billing-policy/billing-policy.events.ts';
import type { PurchaseInitiated } from '../../src/events/purchase/purchase.events.ts';
import { purchaseFeeTiers } from '../../src/http/routes/billing/fee-tiers.ts';
import { policyChanger } from '../../src/http/routes/billing-policy/change-policy.ts';
import { billingPolicyEndpoints } from '../../src/http/routes/billing-policy/index.ts';
import { billingConfig } from '../../src/http/routes/config/billing-config.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { startHttp, type HttpUnderTest } from '../support/given-http.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { until } from '../support/running-server.ts';
import { usualPolicy } from '../support/usual-policy.ts';
import * as wire from '../billing/wire-shapes.ts';

type Answer = Readonly<{ status: number; body: Readonly<Record<string, unknown>>; etag: string | null }>;

const ADMIN = '/api/admin/billing-policy';
const AT = '2026-11-25T12:00:00.000Z';
const USER = '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
const NEW_TIERS = {
  tiers: [
    { min: '5', max: '50', feeRate: '0.15', label: 'SMALL' },
    { min: '50', max: null, feeRate: '0.025', label: 'LARGE' },
  ],
};

describe('the billing policy', () => {
  const store = memoryEventStore();
  const stopping = new AbortController();
  const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const instance = (): LivePolicy =>
    livePolicy({
      build: builtPolicy({ FREE_CREDITS_AMOUNT: '2.00', FREE_CREDITS_EXPIRY_DAYS: 180 }),
      store,
      clock: () => new Date(AT),
      pause,
      logger: silentLogger,
    });
  const [here, there] = [instance(), instance()];
  const purchases = commandHandler(purchaseAggregate, { store, logger: silentLogger, pause });
  let http: HttpUnderTest;

  const call = async (method: string, path: string, body?: unknown, headers: object = {}): Promise<Answer> => {
    const response = await fetch(http.url + path, {
      method,
      headers: { authorization: 'Bearer grace', 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return {
      status: response.status,
      body: (await response.json()) as Answer['body'],
      etag: response.headers.get('etag'),
    };
  };
  const buy = async (name: string, grossMinor: number): Promise<void> => {
    const cause = { at: AT, correlationId: name, causationId: name, actor: { kind: 'user', id: USER } } as const;
    const purchaseId = uuidOf(name);
    const data = {
      purchaseId,
      userId: USER,
      kind: 'checkout',
      grossMinor,
      triggerId: null,
      consent: null,
      at: AT,
    } as const;
    const policy = purchasePolicyOf(await there.current());
    await purchases.handle(purchaseId, { type: 'InitiatePurchase', key: name, data: { ...data, policy } }, cause);
  };

  before(async () => {
    await Promise.all([here, there].map((live) => live.start(stopping.signal)));
    const changePolicy = policyChanger(here.service);
    const policy = () => here.view().policy;
    http = await startHttp([
      ...billingPolicyEndpoints({ view: here.view, changePolicy }),
      ...billingConfig({ policy, changePolicy }),
      purchaseFeeTiers({ feeTiers: () => there.view().policy.tiers }),
    ]);
  });
  after(async () => {
    stopping.abort();
    await http.close();
  });

  it('is the build’s, in the log once, however many instances start', () => {
    const published = store.log().filter(({ type }) => type === 'FeeTiersPublished');
    expect(published).to.have.length(1);
    expect(published[0]?.data).to.deep.include({ version: usualPolicy.feeVersion, tiers: usualPolicy.tiers });
    expect(here.view().policy).to.deep.equal(usualPolicy);
  });

  it('is changed by administrators alone', async () => {
    const asUser = { authorization: 'Bearer ada' };
    expect((await call('PUT', `${ADMIN}/fee-tiers`, NEW_TIERS, asUser)).status).to.equal(403);
    expect((await call('GET', ADMIN, undefined, asUser)).status).to.equal(403);
    expect((await call('PUT', '/api/config/billing', { freeCreditsExpiryDays: 1 }, asUser)).status).to.equal(403);
  });

  it('counts on every instance at once, and each purchase can be priced again from the log', async () => {
    await buy('before', 2000);
    const { status, etag } = await call('PUT', `${ADMIN}/fee-tiers?reason=new%20year`, NEW_TIERS, {
      'if-match': '"1"',
    });
    expect([status, etag]).to.deep.equal([200, '"2"']);
    // The other instance decides by it before any news has come to it.
    await buy('after', 2000);
    await until('the other instance shows it', () => (there.view().changes.revision === 2 ? true : undefined));
    const shown = await call('GET', '/api/billing/credits/purchase-fee-tiers', undefined, {
      authorization: 'Bearer ada',
    });
    wire.feeTiers.parse(shown.body);
    expect(shown.body).to.deep.equal(NEW_TIERS);
    await call('DELETE', `${ADMIN}/fee-tiers`);
    await buy('reverted', 2000);

    const versions = new Map<string, readonly FeeTier[]>();
    for (const { type, data } of store.log()) {
      if (type !== 'FeeTiersPublished' && type !== 'FeeTiersChanged') continue;
      const said = data as Extract<BillingPolicyEvent, { type: typeof type }>['data'];
      versions.set(said.version, said.tiers);
    }
    const begun = store
      .log()
      .filter(({ type }) => type === 'PurchaseInitiated')
      .map(({ data }) => data as PurchaseInitiated['data']);
    expect(begun.map(({ feeMinor }) => feeMinor)).to.deep.equal([200, 300, 200]);
    for (const { grossMinor, feeMinor, creditMinor, tierLabel, policyVersion: version = '' } of begun) {
      const tiers = versions.get(version) ?? [];
      const again = priced({ version, tiers, maxMinor: Infinity }, grossMinor);
      expect({ feeMinor: again.feeMinor, creditMinor: again.creditMinor, label: again.tier.label }).to.deep.equal({
        ...{ feeMinor, creditMinor },
        label: tierLabel,
      });
    }
  });

  it('is not changed to what nobody could buy by, nor on an old reading', async () => {
    const tier = { min: '5', max: null, feeRate: '0.1', label: 'ALL' };
    const wrong: readonly unknown[] = [
      { tiers: [] },
      { tiers: [{ ...tier, feeRate: '1' }] },
      { tiers: [{ ...tier, min: '5.001' }] },
      { tiers: [{ ...tier, max: '4' }] },
      {
        tiers: [
          { ...tier, max: '10' },
          { ...tier, min: '11' },
        ],
      },
      { tiers: [{ ...tier, min: '2000' }] },
      { tiers: [{ ...tier, extra: 1 }] },
    ];
    const before = store.log().length;
    for (const body of wrong) {
      expect((await call('PUT', `${ADMIN}/fee-tiers`, body)).status, JSON.stringify(body)).to.equal(400);
    }
    expect((await call('PUT', `${ADMIN}/limits`, { maxPurchase: '1' })).status).to.equal(400);
    expect((await call('PUT', `${ADMIN}/limits`, { maxPurchase: '50' }, { 'if-match': '"1"' })).status).to.equal(412);
    expect((await call('PUT', `${ADMIN}/limits`, { maxPurchase: '50' }, { 'if-match': 'x' })).status).to.equal(400);
    expect(store.log()).to.have.length(before);
  });

  it('has limits of purchases and of automatic buying', async () => {
    await call('PUT', `${ADMIN}/limits`, { maxPurchase: '50', dailyTopOffCount: 2 });
    expect((await there.current()).limits).to.deep.equal({
      maxMinor: 5000,
      dailyTopOffMinor: 100_000,
      dailyTopOffCount: 2,
    });
    const refused = await buy('too much', 6000).then(
      () => 'bought',
      (error: unknown) => String(error),
    );
    expect(refused).to.contain('at most 50.00 USD');
    const { body } = await call('GET', ADMIN);
    expect(body).to.deep.include({
      limits: { maxPurchase: '50', dailyTopOffAmount: '1000', dailyTopOffCount: 2 },
      freeCredits: { amount: '2', days: 180 },
    });
    expect((body['overrides'] as readonly object[])[0]).to.include({ part: 'limits' });
    await call('DELETE', `${ADMIN}/limits`);
    expect((await there.current()).limits.maxMinor).to.equal(100_000);
  });

  it('has the free credit of new users', async () => {
    const changed = await call('PUT', '/api/config/billing', { freeCreditsAmount: '5.00', freeCreditsExpiryDays: 30 });
    expect(changed).to.deep.include({ status: 200, body: { freeCreditsAmount: '5.00', freeCreditsExpiryDays: 30 } });
    await call('PUT', '/api/config/billing', { freeCreditsAmount: '1' });
    expect((await call('GET', '/api/config/billing')).body).to.deep.equal({
      freeCreditsAmount: '1.00',
      freeCreditsExpiryDays: 30,
    });
    for (const body of [{ freeCreditsExpiryDays: 366 }, { freeCreditsAmount: '-1' }, { freeCreditsAmount: 'x' }]) {
      expect((await call('PUT', '/api/config/billing', body)).status, JSON.stringify(body)).to.equal(400);
    }
    expect((await there.current()).promo).to.deep.equal({ amount: 1_000_000n, days: 30 });
    await call('DELETE', `${ADMIN}/free-credits`);
    expect((await call('GET', '/api/config/billing')).body).to.deep.equal({
      freeCreditsAmount: '2.00',
      freeCreditsExpiryDays: 180,
    });
  });
});

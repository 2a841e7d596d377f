import { expect } from 'chai';
import { createHmac } from 'node:crypto';
import { noticeAggregate } from '../../commands/payment-notices/index.ts';
import { noticeDesk } from '../../commands/payment-notices/notice-work.ts';
import { paymentNoticesProjection } from '../../projections/payment-notices/payment-notices.projection.ts';
import { stripeNotices } from '../../infra/stripe/webhook-signature.ts';
import type { PaymentDeps } from '../../src/http/routes/payments/deps.ts';
import { listNotices, receiveNotice, replayNotice } from '../../src/http/routes/payments/notices.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { startReadSide, type ReadSide } from '../billing/read-side.ts';
import { startHttp, type HttpUnderTest } from '../support/given-http.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';

const SECRET = 'whsec_test';

const notice = (id: string, type = 'payment_intent.succeeded', livemode = false): string =>
  JSON.stringify({
    id,
    type,
    created: 1_772_000_000,
    livemode,
    api_version: '2026-10-28.endive',
    data: { object: { id: 'pi_unknown', object: 'payment_intent', metadata: {} } },
  });

describe('POST /webhooks/stripe', () => {
  const store = memoryEventStore();
  let readSide: ReadSide;
  let http: HttpUnderTest;
  let desk: ReturnType<typeof noticeDesk>;

  const send = (body: string, header?: string): Promise<Response> => {
    const time = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', SECRET).update(`${time}.${body}`).digest('hex');
    return fetch(`${http.url}/webhooks/stripe`, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', 'stripe-signature': header ?? `t=${time},v1=${signature}` },
    });
  };
  const typesOf = (id: string): readonly string[] =>
    store
      .log()
      .filter(({ stream }) => stream === `stripeEvent-${id}`)
      .map(({ type }) => type);
  const admin = (method: string, path: string, as = 'grace'): Promise<Response> =>
    fetch(`${http.url}/api/admin/webhooks${path}`, { method, headers: { authorization: `Bearer ${as}` } });

  before(async () => {
    const clock = (): Date => new Date();
    const notices = commandHandler(noticeAggregate, { store, logger: silentLogger, pause: () => Promise.resolve() });
    // Knows of no purchase: what is worked on here has nothing to do with us.
    const provider = { purchaseOf: () => Promise.resolve(undefined) } as unknown as PaymentDeps['provider'];
    const purchasing = {} as PaymentDeps['purchasing'];
    const customers = {} as PaymentDeps['customers'];
    desk = noticeDesk({ notices, purchasing, customers, provider, clock, logger: silentLogger });
    readSide = await startReadSide([paymentNoticesProjection], { store, vault: { open: () => Promise.resolve(null) } });
    const deps = {
      ...{ desk, provider, purchasing, customers, clock },
      readNotice: stripeNotices(SECRET),
      livemode: false,
      queries: readSide.queries,
    } as unknown as PaymentDeps;
    http = await startHttp([receiveNotice(deps), listNotices(deps), replayNotice(deps)]);
  });
  after(async () => {
    await http.close();
    await readSide.close();
  });

  it('has a notice safe before it says so, once however often it comes', async () => {
    for (let time = 0; time < 3; time += 1) {
      const answer = await send(notice('evt_once'));
      expect(answer.status).to.equal(200);
      expect(await answer.text()).to.equal('');
    }
    await desk.idle();
    expect(typesOf('evt_once').filter((type) => type === 'StripeEventReceived')).to.have.length(1);
  });

  it('keeps no payload', async () => {
    await send(notice('evt_plain'));
    const [received] = store.log().filter(({ stream }) => stream === 'stripeEvent-evt_plain');
    expect(Object.keys(received?.data as object)).to.not.include('payload');
    expect((received?.data as { payloadSha256: string }).payloadSha256).to.match(/^[0-9a-f]{64}$/);
  });

  it('refuses a signature that is not right, and the other mode', async () => {
    expect((await send(notice('evt_forged'), 't=1,v1=00')).status).to.equal(400);
    expect((await send(notice('evt_live', 'invoice.paid', true))).status).to.equal(400);
    expect(typesOf('evt_forged')).to.deep.equal([]);
    expect(typesOf('evt_live')).to.deep.equal([]);
  });

  it('refuses more than a mebibyte', async () => {
    expect((await send('x'.repeat(1024 * 1024 + 1))).status).to.equal(413);
  });

  it('answers 503 when the store is away, so that the notice is sent again', async () => {
    store.outage(true);
    expect((await send(notice('evt_late'))).status).to.equal(503);
    store.outage(false);
    expect((await send(notice('evt_late'))).status).to.equal(200);
  });

  it('parks a payment that names no purchase, for administrators to see and to replay', async () => {
    await send(notice('evt_stranger'));
    await desk.idle();
    expect(typesOf('evt_stranger')).to.deep.equal(['StripeEventReceived', 'StripeEventParked']);
    const { webhooks } = (await (await admin('GET', '')).json()) as { webhooks: readonly { noticeId: string }[] };
    expect(webhooks.map(({ noticeId }) => noticeId)).to.include('evt_stranger');
    expect((await admin('POST', '/evt_stranger/replay')).status).to.equal(202);
    await desk.idle();
    expect(typesOf('evt_stranger').slice(2)).to.deep.equal(['StripeEventReplayed', 'StripeEventParked']);
    expect((await admin('POST', '/evt_nobody/replay')).status).to.equal(404);
    expect((await admin('GET', '', 'ada')).status).to.equal(403);
  });

  it('ignores what is no payment of ours', async () => {
    await send(notice('evt_other', 'payment_intent.created'));
    await desk.idle();
    expect(typesOf('evt_other')).to.deep.equal(['StripeEventReceived', 'StripeEventIgnored']);
  });
});

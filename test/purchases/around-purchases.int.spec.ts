import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { lookingAgain } from '../../commands/purchases/looking-again.ts';
import { followUpPurchases } from '../../commands/purchases/follow-up.ts';
import { startStripeDouble, type StripeDouble } from '../../infra/embedded/stripe-double/double.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { addCard, causeOf, openAccount, providerAt, SECRET_KEY, submit, telling, world } from './world.ts';

type Json = Readonly<Record<string, unknown>>;

const DAY_MS = 86_400_000;
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'nothing was refused',
    (error: unknown) => (isDomainError(error) ? error.errorType : String(error)),
  );

describe('what goes wrong around purchases', function () {
  this.timeout(30_000);
  const store = memoryEventStore();
  let now = new Date();
  let userId: string;
  let double: StripeDouble;

  const tell = (what: string, told: Json = {}): Promise<unknown> => telling(double.url)(what, told);
  const here = () => world(store, providerAt(double.url, 300), () => now);
  const cause = () => ({ ...causeOf(userId), at: now.toISOString() });
  const order = (key = 'one') => ({ userId, email: 'ada@example.test', amount: 20, key, consent: null });
  const types = (): readonly string[] =>
    store
      .log()
      .filter(({ stream, data }) => stream.endsWith(userId) || (data as Json)['userId'] === userId)
      .map(({ type }) => type);
  const purchaseId = (): string => {
    const found = store
      .log()
      .findLast(({ type, data }) => type === 'PurchaseInitiated' && (data as Json)['userId'] === userId);
    return String((found?.data as Json | undefined)?.['purchaseId']);
  };
  const newest = async (kind: string): Promise<Json> => ((await tell(kind)) as readonly Json[])[0] ?? {};
  const setTopOff = async (): Promise<void> => {
    const data = { userId, threshold: 5_000_000n, amountMinor: 2000, mandateTextVersion: '1', at: cause().at };
    await here().profiles.handle(userId, { type: 'ConfigureTopOff', key: 'set', data }, cause());
  };
  /** Deletes the customer at the provider, who tells nobody. */
  const customerGone = async (): Promise<void> => {
    const { customerId } = await here().profiles.state(userId);
    await here().provider.deleteCustomer(customerId ?? '');
  };

  before(async () => {
    const webhookUrl = 'http://127.0.0.1:9/nobody';
    double = await startStripeDouble({ port: 0, secretKey: SECRET_KEY, webhookUrl, webhookSecret: 'whsec_test' });
    await tell('knobs', { settle: -1 });
  });
  after(() => double.stop());
  beforeEach(async () => {
    now = new Date();
    userId = randomUUID();
    await openAccount(here(), userId);
  });

  it('a customer that is gone at the provider: there is no method to pay with, and a new customer', async () => {
    await addCard(here(), userId);
    await customerGone();
    expect(await refusal(here().buying.buy(order(), cause()))).to.equal('payment_method_required');
    await customerGone();
    const portal = await here().linked.with(userId, {}, cause(), here().provider.openPortal);
    expect(portal).to.contain((await here().profiles.state(userId)).customerId ?? 'nobody');
    expect(types().filter((type) => type === 'StripeCustomerUnlinked')).to.have.length(2);
  });

  it('a customer that is gone when credit is bought by itself: it fails, is switched off, and comes to rest', async () => {
    await addCard(here(), userId);
    await setTopOff();
    await customerGone();
    await here()
      .topOff(userId)
      .catch(() => undefined);
    await here().topOff(userId);
    expect(types()).to.include.members(['AutoTopOffDisabled', 'TopOffFailed', 'PurchaseClosedUnpaid']);
    const before = types().length;
    await here().topOff(userId);
    expect(types()).to.have.length(before);
  });

  it('a card that is removed while its bank debit is on the way: nothing else is charged, and the debit counts', async () => {
    await addCard(here(), userId, 'slow');
    await setTopOff();
    await here().topOff(userId);
    expect(types()).to.include('PaymentPending');
    const { customerId, defaultMethodId } = await here().profiles.state(userId);
    await submit(`${double.url}/portal/${customerId ?? ''}`, { do: 'remove', id: defaultMethodId ?? '' });
    await here().linked.refresh(userId, customerId ?? '', cause());
    expect(types().at(-1)).to.equal('AutoTopOffDisabled');
    await here().topOff(userId);
    expect(types()).to.not.include('TopOffFailed');
    await tell('settle', { payment_intent: (await newest('intents'))['id'], succeeded: true });
    await here().buying.reconcile(purchaseId(), {}, cause());
    await here().topOff(userId);
    expect(types().slice(-2)).to.deep.equal(['PurchaseFulfilled', 'TopOffSucceeded']);
  });

  it('a card that is removed while its invoice is open: nobody can collect it later', async () => {
    await addCard(here(), userId, 'declined');
    await setTopOff();
    // Cut off between the refusal and the voiding of the invoice.
    const cut = world(
      store,
      { ...providerAt(double.url), voidInvoice: () => Promise.reject(new Error('cut')) },
      () => now,
    );
    await cut.topOff(userId).catch(() => undefined);
    expect((await newest('invoices'))['status']).to.equal('open');
    const { customerId, defaultMethodId } = await here().profiles.state(userId);
    await submit(`${double.url}/portal/${customerId ?? ''}`, { do: 'remove', id: defaultMethodId ?? '' });
    await here().linked.refresh(userId, customerId ?? '', cause());
    await here().topOff(userId);
    expect(types()).to.include('TopOffFailed');
    expect((await newest('invoices'))['status']).to.equal('void');
  });

  it('a dispute: whoever may not spend is not charged either', async () => {
    await addCard(here(), userId);
    await setTopOff();
    const block = { reason: 'dispute' as const, ref: 'du_1', at: cause().at };
    await here().credits.handle(userId, { type: 'BlockSpending', key: 'block', data: block }, cause());
    await here().topOff(userId);
    expect(types()).to.not.include('TopOffTriggered');
    await here().credits.handle(userId, { type: 'UnblockSpending', key: 'unblock', data: block }, cause());
    await here().topOff(userId);
    expect(types()).to.include('TopOffSucceeded');
  });

  it('a key that is used again after the provider has forgotten it: no second page for the same purchase', async () => {
    await addCard(here(), userId);
    const first = await here().buying.buy(order(), cause());
    expect(await here().buying.buy(order(), cause())).to.deep.equal(first);
    now = new Date(now.getTime() + DAY_MS);
    expect(await refusal(here().buying.buy(order(), cause()))).to.equal('already_exists');
    expect(types().filter((type) => type === 'CheckoutSessionOpened')).to.have.length(1);
  });

  it('a card that is declined before a bank debit on the same page: the money is on its way, until the bank says no', async () => {
    await addCard(here(), userId);
    const { url } = await here().buying.buy(order(), cause());
    await submit(`${url}/pay`, { method: 'declined' });
    await here().buying.reconcile(purchaseId(), {}, cause());
    await submit(`${url}/pay`, { method: 'slow' });
    expect((await here().buying.reconcile(purchaseId(), {}, cause()))?.status).to.equal('pending');
    await tell('settle', { payment_intent: (await newest('intents'))['id'], succeeded: false });
    expect((await here().buying.reconcile(purchaseId(), {}, cause()))?.status).to.equal('closed');
    expect(types().slice(-5)).to.deep.equal([
      'CheckoutSessionOpened',
      'PaymentFailed',
      'PaymentPending',
      'PaymentFailed',
      'PurchaseClosedUnpaid',
    ]);
  });

  it('a provider that hangs: it is given up soon, nothing is left half, and the same key goes on', async () => {
    await addCard(here(), userId);
    await tell('knobs', { hang: 2 });
    expect(await refusal(here().buying.buy(order(), cause()))).to.equal('external_service_error');
    const page = await here().buying.buy(order(), cause());
    await submit(`${page.url}/pay`, { method: 'card' });
    expect((await here().buying.reconcile(purchaseId(), {}, cause()))?.status).to.equal('fulfilled');
    expect(types().filter((type) => type === 'PurchaseInitiated')).to.have.length(1);
  });

  it('an account that is closed while its user pays: the money waits to be given back, and leaves as it came', async () => {
    await addCard(here(), userId);
    const { url } = await here().buying.buy(order(), cause());
    const close = { reason: 'erasure', paid: 'refund_paid', at: cause().at } as const;
    await here().credits.handle(userId, { type: 'CloseAccount', key: 'close', data: close }, cause());
    await submit(`${url}/pay`, { method: 'card' });
    expect((await here().buying.reconcile(purchaseId(), {}, cause()))?.status).to.equal('mismatch');
    await tell('refund', { payment_intent: (await newest('intents'))['id'] });
    expect((await here().buying.reconcile(purchaseId(), {}, cause()))?.status).to.equal('mismatch');
    const refund = store.log().findLast(({ type }) => type === 'RefundRecorded');
    expect(refund?.data).to.deep.include({ userId, amountMinor: 2380, creditPart: '0', credited: false });
    expect(types()).to.not.include('CreditsPurchased');
  });

  it('a page that never opened: its purchase is closed after a day', async () => {
    await addCard(here(), userId);
    await tell('knobs', { fail: 2 });
    expect(await refusal(here().buying.buy(order(), cause()))).to.equal('external_service_error');
    const followUp = () =>
      followUpPurchases({
        purchasing: here().buying,
        unfinished: () => Promise.resolve([purchaseId()]),
        clock: () => now,
        logger: silentLogger,
      })();
    await followUp();
    expect(types().at(-1)).to.equal('PurchaseInitiated');
    now = new Date(now.getTime() + DAY_MS);
    await followUp();
    expect(types().at(-1)).to.equal('PurchaseClosedUnpaid');
  });

  it('a notice that never comes: whoever asks has the page looked at, now and then', async () => {
    const looking = lookingAgain({ clock: () => now, logger: silentLogger, everyMs: 5000 });
    let looks = 0;
    const look = (sessionId: string): void =>
      looking.look(sessionId, () => {
        looks += 1;
        return Promise.reject(new Error('away'));
      });
    for (let time = 0; time < 3; time += 1) look('cs_1');
    look('cs_2');
    now = new Date(now.getTime() + 5000);
    look('cs_1');
    await looking.idle();
    expect(looks).to.equal(3);
  });
});

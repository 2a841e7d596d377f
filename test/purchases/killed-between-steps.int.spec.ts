import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { startStripeDouble, type StripeDouble } from '../../infra/embedded/stripe-double/double.ts';
import type { EventStore } from '../../src/kernel/event-store.ts';
import type { PaymentNotice, PaymentProvider } from '../../src/kernel/payments.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { addCard, causeOf, openAccount, providerAt, SECRET_KEY, submit, telling, world, type World } from './world.ts';

type Json = Readonly<Record<string, unknown>>;
type When = 'before' | 'after';

/** What has an effect outside the process: each call of it is a step. */
type Outside = Readonly<{ store: EventStore; provider: PaymentProvider }>;

/** Everything outside, as seen by a process that is killed right before or after its n-th step. */
const mortal = ({ store, provider }: Outside, n: number, when: When) => {
  const steps: string[] = [];
  const never = new Promise<never>(() => undefined);
  const life = { over: false };
  const isOver = (): boolean => life.over;
  let died: () => void = () => undefined;
  const death = new Promise<'killed'>((resolve) => (died = () => resolve('killed')));
  const die = (): Promise<never> => {
    life.over = true;
    died();
    return never;
  };
  const step = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    if (isOver()) return never;
    steps.push(name);
    const isLast = steps.length === n;
    if (isLast && when === 'before') return die();
    const result = await work();
    return isLast || isOver() ? die() : result;
  };
  const provided = Object.fromEntries(
    Object.entries(provider).map(([name, call]) => [
      name,
      (...args: readonly unknown[]) =>
        step(name, () => (call as (...given: readonly unknown[]) => Promise<unknown>)(...args)),
    ]),
  ) as PaymentProvider;
  const append: EventStore['append'] = (stream, expected, events) =>
    step(events.map(({ type }) => type).join('+'), () => store.append(stream, expected, events));
  return { store: { ...store, append }, provider: provided, steps, death };
};

describe('an instance that is killed between any two steps', function () {
  this.timeout(120_000);
  const store = memoryEventStore();
  let double: StripeDouble;
  let outside: Outside;

  const tell = (what: string, told: Json = {}): Promise<unknown> => telling(double.url)(what, told);
  const alive = (): World => world(outside.store, outside.provider);

  before(async () => {
    double = await startStripeDouble({
      port: 0,
      secretKey: SECRET_KEY,
      // Nobody listens: the tests hand notices in themselves.
      webhookUrl: 'http://127.0.0.1:9/nobody',
      webhookSecret: 'whsec_test',
    });
    outside = { store, provider: providerAt(double.url) };
  });
  after(() => double.stop());

  /**
   * Runs `flow` once for each step and each side of it, each time with another user, on an instance that is killed there,
   * and then `goOn` on one that is not; `check` is asked after each.
   */
  const killedEverywhere = async <P>(
    prepare: (userId: string) => Promise<P>,
    flow: (here: World, userId: string, prepared: P) => Promise<unknown>,
    goOn: (here: World, userId: string, prepared: P) => Promise<unknown>,
    check: (userId: string, where: string, prepared: P) => Promise<void>,
  ): Promise<readonly string[]> => {
    for (let n = 1; ; n += 1) {
      for (const when of ['before', 'after'] as const) {
        const userId = randomUUID();
        const prepared = await prepare(userId);
        const { death, steps, ...mortals } = mortal(outside, n, when);
        const ended = await Promise.race([flow(world(mortals.store, mortals.provider), userId, prepared), death]);
        const where = `${when} step ${n} of ${steps.join(', ')}`;
        await goOn(alive(), userId, prepared);
        await check(userId, where, prepared);
        if (ended !== 'killed') return steps;
      }
    }
  };

  /** How often each event was said about a user. */
  const said = (userId: string): Readonly<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (const { type, data, stream } of store.log()) {
      if (!stream.endsWith(userId) && (data as Json)['userId'] !== userId) continue;
      counts[type] = (counts[type] ?? 0) + 1;
    }
    return counts;
  };
  const paidCredit = async (userId: string): Promise<bigint> => {
    const account = await alive().credits.state(userId);
    return account.status === 'none' ? 0n : account.lots.reduce((sum, { remaining }) => sum + remaining, 0n);
  };
  /** The provider's objects of a user's customer. */
  const at = async (kind: string, userId: string): Promise<readonly Json[]> => {
    const all = (await tell(kind)) as readonly Json[];
    if (kind === 'customers') return all.filter(({ metadata }) => (metadata as Json)['userId'] === userId);
    const { customerId } = await alive().profiles.state(userId);
    return all.filter(({ customer }) => customer === customerId);
  };

  const withTopOff = (method: string) => async (userId: string) => {
    const here = alive();
    await openAccount(here, userId);
    await addCard(here, userId, method);
    const cause = causeOf(userId);
    const data = { userId, threshold: 5_000_000n, amountMinor: 2000, mandateTextVersion: '1', at: cause.at };
    await here.profiles.handle(userId, { type: 'ConfigureTopOff', key: 'set', data }, cause);
  };
  const goOnToppingOff = async (here: World, userId: string): Promise<void> => {
    for (let time = 0; time < 3; time += 1) await here.topOff(userId);
  };

  it('tops up once, and charges once', async () => {
    const steps = await killedEverywhere(
      withTopOff('card'),
      (here, userId) => here.topOff(userId),
      goOnToppingOff,
      async (userId, where) => {
        expect(await paidCredit(userId), where).to.equal(18_000_000n);
        expect(said(userId), where).to.deep.include({
          ...{ TopOffTriggered: 1, PurchaseInitiated: 1, PaymentSucceeded: 1, CreditsPurchased: 1 },
          ...{ PurchaseFulfilled: 1, TopOffSucceeded: 1 },
        });
        const intents = await at('intents', userId);
        expect(
          intents.map(({ status }) => status),
          where,
        ).to.deep.equal(['succeeded']);
        expect(
          (await at('invoices', userId)).map(({ status }) => status),
          where,
        ).to.deep.equal(['paid']);
      },
    );
    expect(steps.join(' ')).to.match(
      /^TopOffTriggered PurchaseInitiated issueInvoice payment InvoiceIssued\S* payInvoice .*PaymentSucceeded\S* CreditsPurchased\S* PurchaseFulfilled TopOffSucceeded$/,
    );
  });

  it('fails once on a card that is declined, and leaves no invoice that could be collected', async () => {
    const steps = await killedEverywhere(
      withTopOff('declined'),
      (here, userId) => here.topOff(userId),
      goOnToppingOff,
      async (userId, where) => {
        expect(await paidCredit(userId), where).to.equal(0n);
        expect(said(userId), where).to.deep.include({ TopOffTriggered: 1, PurchaseInitiated: 1, TopOffFailed: 1 });
        expect(
          (await at('invoices', userId)).map(({ status }) => status),
          where,
        ).to.deep.equal(['void']);
      },
    );
    expect(steps).to.include.members(['voidInvoice', 'TopOffFailed']);
  });

  it('opens one page for one key, and credits what is paid on it', async () => {
    const order = (userId: string) => ({ userId, email: 'ada@example.test', amount: 20, key: 'one', consent: null });
    const steps = await killedEverywhere(
      async (userId) => {
        await openAccount(alive(), userId);
        await addCard(alive(), userId);
      },
      (here, userId) => here.buying.buy(order(userId), causeOf(userId)),
      async (here, userId) => {
        const { url } = await here.buying.buy(order(userId), causeOf(userId));
        await submit(`${url}/pay`, { method: 'card' });
        const [purchase] = store
          .log()
          .filter(({ type, data }) => type === 'PurchaseInitiated' && (data as Json)['userId'] === userId);
        await here.buying.reconcile(String((purchase?.data as Json)['purchaseId']), {}, causeOf(userId));
      },
      async (userId, where) => {
        expect(await paidCredit(userId), where).to.equal(18_000_000n);
        expect(said(userId), where).to.deep.include({
          PurchaseInitiated: 1,
          CheckoutSessionOpened: 1,
          CreditsPurchased: 1,
        });
        expect(await at('sessions', userId), where).to.have.length(2); // one to add the card, one to buy
      },
    );
    expect(steps).to.deep.equal(['PurchaseInitiated', 'openCheckout', 'CheckoutSessionOpened']);
  });

  it('makes one customer', async () => {
    const steps = await killedEverywhere(
      (userId) => openAccount(alive(), userId),
      (here, userId) => here.linked.of(userId, { email: 'ada@example.test' }, causeOf(userId)),
      (here, userId) => here.linked.of(userId, { email: 'ada@example.test' }, causeOf(userId)),
      async (userId, where) => {
        expect(await at('customers', userId), where).to.have.length(1);
        expect(said(userId), where).to.include({ StripeCustomerClaimed: 1, StripeCustomerLinked: 1 });
      },
    );
    expect(steps).to.include.members(['StripeCustomerRequested', 'createCustomer', 'StripeCustomerLinked']);
  });

  it('does once what a notice asks for: credit, clawback of a refund, dispute', async () => {
    const bought = async (userId: string): Promise<PaymentNotice> => {
      const here = alive();
      await openAccount(here, userId);
      await addCard(here, userId);
      const order = { userId, email: undefined, amount: 20, key: 'one', consent: null };
      const { url, sessionId } = await here.buying.buy(order, causeOf(userId));
      await submit(`${url}/pay`, { method: 'card' });
      const [intent] = await at('intents', userId);
      const { purchaseId } = intent?.['metadata'] as Readonly<{ purchaseId: string }>;
      await tell('refund', { payment_intent: intent?.['id'], amount: 1190 });
      const dispute = (await tell('dispute', { payment_intent: intent?.['id'] })) as Json;
      await tell('close-dispute', { dispute: dispute['id'], won: true });
      return {
        ...{ noticeId: `evt_${userId.replaceAll('-', '')}`, type: 'checkout.session.completed' },
        ...{ objectId: sessionId, objectKind: 'checkout.session', paymentIntentId: null, customerId: null },
        ...{ purchaseId, livemode: false, apiVersion: null, createdAt: causeOf(userId).at, payloadSha256: '' },
      };
    };
    const steps = await killedEverywhere(
      bought,
      async (here, _userId, notice) => {
        await here.desk.receive(notice);
        await here.desk.idle();
      },
      async (here, _userId, notice) => {
        // The provider sends it again when nobody said that it is safe; else a job takes it up.
        const state = await here.notices.state(notice.noticeId);
        if (state.status === 'none') await here.desk.receive(notice);
        else await here.desk.work(notice.noticeId);
        await here.desk.idle();
      },
      async (userId, where, { noticeId }) => {
        expect(await paidCredit(userId), where).to.equal(9_000_000n);
        expect(said(userId), where).to.deep.include({
          ...{ CreditsPurchased: 1, PurchaseFulfilled: 1, RefundRecorded: 1, DisputeOpened: 1, DisputeWon: 1 },
          ...{ CreditsClawedBack: 2, ClawbackReversed: 1, SpendingBlocked: 1, SpendingUnblocked: 1 },
        });
        const about = store.log().filter(({ stream }) => stream === `stripeEvent-${noticeId}`);
        expect(
          about.map(({ type }) => type),
          where,
        ).to.deep.equal(['StripeEventReceived', 'StripeEventApplied']);
      },
    );
    expect(steps).to.include.members(['StripeEventReceived', 'PurchaseFulfilled', 'StripeEventApplied']);
  });
});

import { expect } from 'chai';
import { createHmac } from 'node:crypto';
import { startStripeDouble, type StripeDouble } from '../../infra/embedded/stripe-double/double.ts';
import { stripeNotices } from '../../infra/stripe/webhook-signature.ts';
import { StoreUnavailableError } from '../../src/kernel/event-store.ts';
import { memoryEventStore, type MemoryEventStore } from '../support/memory-event-store.ts';
import { addCard, causeOf, openAccount, providerAt, SECRET_KEY, submit, telling, world, type World } from './world.ts';

type Json = Readonly<Record<string, unknown>>;
type Here = World & Readonly<{ store: MemoryEventStore }>;

const SECRET = 'whsec_test';
const USER = '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
const cause = causeOf(USER);

const shuffled = <T>(items: readonly T[], random: () => number): readonly T[] =>
  items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);

/** Numbers of chance that are the same for the same seed. */
const chance = (seed: number) => {
  let state = seed;
  return (): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
};

describe('notices of the payment provider', function () {
  this.timeout(60_000);
  let double: StripeDouble;
  let begun: Here;
  let events: readonly Json[];

  const tell = (what: string, told: Json): Promise<unknown> => telling(double.url)(what, told);
  const anewAt = (): Here => world(memoryEventStore(), providerAt(double.url));
  const buy = async (key: string, amount: number, method = 'card'): Promise<string> => {
    const order = { userId: USER, email: 'ada@example.test', amount, key, consent: null };
    const { url } = await begun.buying.buy(order, cause);
    await submit(`${url}/pay`, { method });
    const [intent] = (await tell('intents', {})) as readonly Json[];
    return String(intent?.['id']);
  };
  /** Hands in a notice as the provider would; false when it was not taken. */
  const deliver = async (to: World, event: Json): Promise<boolean> => {
    const body = Buffer.from(JSON.stringify(event));
    const time = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', SECRET).update(`${time}.`).update(body).digest('hex');
    const notice = stripeNotices(SECRET)(body, `t=${time},v1=${signature}`, new Date());
    if (notice === undefined) throw new Error('the notice was not understood');
    return to.desk.receive(notice).then(
      () => true,
      () => false,
    );
  };

  /** What everything amounts to, whatever way it came about. */
  const booksOf = async ({ credits, store }: Here) => {
    const account = await credits.state(USER);
    const counted = new Map<string, number>();
    for (const { type } of store.log()) counted.set(type, (counted.get(type) ?? 0) + 1);
    const count = (type: string): number => counted.get(type) ?? 0;
    if (account.status === 'none') return expect.fail('there is no account');
    return {
      paid: account.lots.map(({ remaining }) => remaining).reduce((a, b) => a + b, 0n),
      owed: count('ShortfallRecorded'),
      purchased: count('CreditsPurchased'),
      fulfilled: count('PurchaseFulfilled'),
      refunds: count('RefundRecorded'),
      clawedBack: count('CreditsClawedBack') - count('ClawbackReversed'),
      blocked: count('SpendingBlocked') - count('SpendingUnblocked'),
    };
  };

  before(async () => {
    double = await startStripeDouble({
      port: 0,
      secretKey: SECRET_KEY,
      // Nobody listens: the test hands the notices in itself.
      webhookUrl: 'http://127.0.0.1:9/nobody',
      webhookSecret: SECRET,
    });
    await tell('knobs', { settle: -1 });
    begun = anewAt();
    await openAccount(begun, USER);
    await addCard(begun, USER);

    await buy('kept', 20);
    const refunded = await buy('refunded', 10);
    await tell('refund', { payment_intent: refunded, amount: 595 });
    const failing = (await tell('refund', { payment_intent: refunded, amount: 100, pending: true })) as Json;
    await tell('end-refund', { refund: failing['id'], succeeded: false });
    const won = (await tell('dispute', { payment_intent: await buy('won', 10) })) as Json;
    await tell('close-dispute', { dispute: won['id'], won: true });
    const lost = (await tell('dispute', { payment_intent: await buy('lost', 10) })) as Json;
    await tell('close-dispute', { dispute: lost['id'], won: false });
    await tell('settle', { payment_intent: await buy('debit', 10, 'slow'), succeeded: true });
    await tell('settle', { payment_intent: await buy('no money', 10, 'slow'), succeeded: false });
    await buy('unsettled', 10, 'slow');
    await tell('knobs', { foreign: 1 });
    await buy('euros', 10);
    events = (await tell('events', {})) as readonly Json[];
  });
  after(() => double.stop());

  /** As many worlds as wanted begin with what `begun` knew before any notice came. */
  const anew = async (): Promise<Here> => {
    const next = anewAt();
    for (const { stream, id, type, data, metadata } of begun.store.log()) {
      await next.store.append(stream, 'any', [{ id, type, data, metadata }]);
    }
    return next;
  };

  const EXPECTED = {
    // 18 kept, 8 of 10 less half of it, 8 won back, 8 by bank debit.
    paid: 18_000_000n + 4_000_000n + 8_000_000n + 8_000_000n,
    owed: 0,
    purchased: 5,
    fulfilled: 5,
    refunds: 1,
    clawedBack: 2,
    blocked: 0,
  };

  it('give the same books ten times over in any order', async () => {
    for (const seed of [1, 2, 3]) {
      const random = chance(seed);
      const here = await anew();
      const ten = Array.from({ length: 10 }, () => events).flat();
      for (const event of shuffled(ten, random)) expect(await deliver(here, event)).to.equal(true);
      await here.desk.idle();
      expect(await booksOf(here), `seed ${seed}`).to.deep.equal(EXPECTED);
    }
  });

  it('give the same books when the store goes away between any two steps', async () => {
    for (const seed of [4, 5, 6]) {
      const random = chance(seed);
      const here = await anew();
      here.store.beforeAppend(() => {
        if (random() < 0.3) throw new StoreUnavailableError('gone between two steps');
      });
      let refused = 0;
      for (const event of shuffled([...events, ...events], random)) {
        // The provider sends again what was not taken.
        while (!(await deliver(here, event))) refused += 1;
      }
      await here.desk.idle();
      here.store.beforeAppend(undefined);
      expect(refused).to.be.above(0);
      // A later turn of the job goes on where each was cut.
      for (const event of events) await here.desk.work(String(event['id']));
      await here.desk.idle();
      expect(await booksOf(here), `seed ${seed}`).to.deep.equal(EXPECTED);
    }
  });

  it('are refused with another signature, and when they are too old or from the future', () => {
    const body = Buffer.from(JSON.stringify(events[0]));
    const now = new Date();
    const at = (seconds: number, secret = SECRET): string => {
      const time = Math.floor(now.getTime() / 1000) + seconds;
      return `t=${time},v1=${createHmac('sha256', secret).update(`${time}.`).update(body).digest('hex')}`;
    };
    const read = (header: string) => stripeNotices(SECRET)(body, header, now);
    expect(read(at(0))).to.include({ noticeId: events[0]?.['id'] });
    expect(read(`v1=00,${at(0)}`)).to.include({ noticeId: events[0]?.['id'] });
    for (const header of [at(0, 'whsec_other'), at(-301), at(301), '', 't=x,v1=00', `t=1`]) {
      expect(read(header), header).to.equal(undefined);
    }
  });

  it('make one customer, however many ask at once', async () => {
    const here = anewAt();
    const other = '9b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
    const ids = await Promise.all(Array.from({ length: 10 }, () => here.linked.of(other, {}, cause)));
    expect(new Set(ids).size).to.equal(1);
    const all = (await tell('customers', {})) as readonly Json[];
    expect(all.filter(({ metadata }) => (metadata as Json)['userId'] === other)).to.have.length(1);
  });
});

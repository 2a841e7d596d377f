import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { LAST_OWN_STEP } from '../../commands/erasure/erasures.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import type { Cause } from '../../src/kernel/message.ts';
import { ada, failure } from '../identity/rig.ts';

import { newWorld, processOn, type Process, type World } from './given-erasure.ts';

const CUSTOMER = 'cus_Ada';

const causeOf = (userId: string, { now }: World): Cause => ({
  at: now.toISOString(),
  correlationId: randomUUID(),
  causationId: randomUUID(),
  actor: { kind: 'user', id: userId },
});

/** Signed in, with a customer at the payment provider, a card, and automatic buying. */
const buyer = async (world: World, of: Process): Promise<string> => {
  const { userId } = await of.logIn(ada, world.now.toISOString());
  const cause = causeOf(userId, world);
  const { at } = cause;
  const said = { userId, customerId: CUSTOMER, at };
  await of.profiles.handle(userId, { type: 'RequestCustomer', key: 'request:0', data: { userId, at } }, cause);
  world.shop.customers.set(CUSTOMER, userId);
  await of.profiles.handle(userId, { type: 'LinkCustomer', key: 'link', data: said }, cause);
  const sealed = await world.vault.seal(userId, `billingProfile-${userId}`, { customerName: 'Ada' });
  const learned = {
    details: { hasName: true, addressComplete: true, taxIdCount: 0, sealed, digest: 'd' },
    methods: [{ pmId: 'pm_1', kind: 'card', card: null, created: at }],
    defaultMethodId: 'pm_1',
  };
  await of.profiles.handle(userId, { type: 'LearnCustomer', key: 'learn', data: { ...said, learned, seen: 0 } }, cause);
  const settings = { userId, threshold: 5_000_000n, amountMinor: 2000, mandateTextVersion: '1', at };
  await of.profiles.handle(userId, { type: 'ConfigureTopOff', key: 'configure', data: settings }, cause);
  return userId;
};

const proceedUntil = async (world: { now: Date }, of: Process, userId: string): Promise<void> => {
  for (let rounds = 0; !(await of.erasures.proceed(userId)); rounds += 1) {
    if (rounds > 20) throw new Error('the erasure does not end');
    world.now = new Date(world.now.getTime() + 1000);
  }
};

const typesOf = ({ store }: World, stream: string): readonly string[] =>
  store
    .log()
    .filter((event) => event.stream === stream)
    .map(({ type }) => type);

describe('the payments of a user who leaves', () => {
  it('keep them from leaving while money is on its way, and change nothing', async () => {
    const world = newWorld();
    const of = processOn(world);
    const userId = await buyer(world, of);
    world.shop.paying.add(userId);
    const refusal = await failure(of.erasures.request(userId, causeOf(userId, world)));
    expect(isDomainError(refusal) && refusal.errorType).to.equal('billing_conflict');
    expect(typesOf(world, `erasure-${userId}`)).to.deep.equal(['ErasureRequested', 'ErasureBlocked']);
    expect(typesOf(world, `creditAccount-${userId}`)).to.not.include('CreditAccountClosed');
    expect((await of.profiles.state(userId)).topOff?.enabled).to.equal(true);
    world.shop.paying.delete(userId);
    await of.erasures.request(userId, causeOf(userId, world));
    expect(typesOf(world, `creditAccount-${userId}`)).to.include('CreditAccountClosed');
  });

  it('end with automatic buying at once, and the customer after that, once', async () => {
    const world = newWorld();
    const of = processOn(world);
    const userId = await buyer(world, of);
    await of.erasures.request(userId, causeOf(userId, world));
    expect((await of.profiles.state(userId)).topOff?.enabled).to.equal(false);
    expect([...world.shop.customers.keys()]).to.deep.equal([CUSTOMER]);
    await proceedUntil(world, of, userId);
    await proceedUntil(world, processOn(world), userId);
    expect([...world.shop.customers.keys()]).to.deep.equal([]);
    expect(typesOf(world, `billingProfile-${userId}`).slice(-3)).to.deep.equal([
      'AutoTopOffDisabled',
      'PaymentMethodDetached',
      'StripeCustomerUnlinked',
    ]);
    expect(typesOf(world, `erasure-${userId}`).at(-1)).to.equal('ErasureCompleted');
  });

  it('wait for a payment provider that is away, with everything else gone and unreadable by then', async () => {
    const world = newWorld();
    const of = processOn(world);
    const userId = await buyer(world, of);
    world.answers.add(userId);
    await of.erasures.request(userId, causeOf(userId, world));
    world.shop.isAway = true;
    const refusal = await failure(proceedUntil(world, of, userId));
    expect(isDomainError(refusal) && refusal.errorType).to.equal('external_service_error');
    expect(world.answers.has(userId)).to.equal(false);
    expect(typesOf(world, `erasure-${userId}`).slice(-3)).to.deep.equal([
      'BelongingsRemoved',
      'SubjectKeyDestroyed',
      'ReadModelsPurged',
    ]);
    expect(isDomainError(await failure(world.vault.seal(userId, 'user', 'anything')))).to.equal(true);
    expect((await of.profiles.state(userId)).customerId).to.equal(CUSTOMER);
    world.shop.isAway = false;
    await proceedUntil(world, of, userId);
    expect([...world.shop.customers.keys()]).to.deep.equal([]);
    expect(typesOf(world, `erasure-${userId}`).at(-1)).to.equal('ErasureCompleted');
  });

  it('wait for one that set out while the account was being closed, and keep nothing readable meanwhile', async () => {
    const world = newWorld();
    const of = processOn(world);
    const userId = await buyer(world, of);
    await of.erasures.request(userId, causeOf(userId, world));
    world.shop.paying.add(userId);
    for (let seconds = 0; seconds < 20; seconds += 1) {
      expect(await of.erasures.proceed(userId)).to.equal(false);
      world.now = new Date(world.now.getTime() + 1000);
    }
    expect(typesOf(world, `erasure-${userId}`).at(-1)).to.equal('ReadModelsPurged');
    expect([...world.shop.customers.keys()]).to.deep.equal([CUSTOMER]);
    world.shop.paying.delete(userId);
    await proceedUntil(world, of, userId);
    expect([...world.shop.customers.keys()]).to.deep.equal([]);
    expect(typesOf(world, `erasure-${userId}`).at(-1)).to.equal('ErasureCompleted');
  });

  it('are left to who asks the payment provider by whoever goes no further than what is ours', async () => {
    const world = newWorld();
    const of = processOn(world);
    const userId = await buyer(world, of);
    await of.erasures.request(userId, causeOf(userId, world));
    world.shop.isAway = true;
    for (let seconds = 0; seconds < 20; seconds += 1) {
      expect(await of.erasures.proceed(userId, LAST_OWN_STEP)).to.equal(false);
      world.now = new Date(world.now.getTime() + 1000);
    }
    expect(typesOf(world, `erasure-${userId}`).at(-1)).to.equal(LAST_OWN_STEP);
  });

  it('are forgotten here where nothing can be paid any more', async () => {
    const world = newWorld();
    const of = processOn(world, { payments: 'off' });
    const userId = await buyer(world, of);
    await of.erasures.request(userId, causeOf(userId, world));
    await proceedUntil(world, of, userId);
    expect((await of.profiles.state(userId)).customerId).to.equal(null);
    expect(typesOf(world, `erasure-${userId}`).at(-1)).to.equal('ErasureCompleted');
  });

  it('find a customer whose maker died before it was linked', async () => {
    const world = newWorld();
    const of = processOn(world);
    const { userId } = await of.logIn(ada, world.now.toISOString());
    const cause = causeOf(userId, world);
    const data = { userId, at: cause.at };
    await of.profiles.handle(userId, { type: 'RequestCustomer', key: 'request:0', data }, cause);
    world.shop.customers.set(CUSTOMER, userId);
    await of.erasures.request(userId, cause);
    await proceedUntil(world, of, userId);
    expect([...world.shop.customers.keys()]).to.deep.equal([]);
  });
});

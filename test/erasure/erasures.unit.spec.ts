import { expect } from 'chai';
import { randomUUID } from 'node:crypto';
import { CONNECTIONS_SETTLE_MS, CONNECTIONS_STAY_MS } from '../../commands/erasure/erasures.ts';
import { chainCheck } from '../../src/finance/chain-check.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { StoreUnavailableError } from '../../src/kernel/event-store.ts';
import type { Cause } from '../../src/kernel/message.ts';
import { isSealed } from '../../src/kernel/vault.ts';
import { work } from '../credits/fixtures.ts';
import { ada, failure } from '../identity/rig.ts';
import { newWorld, processOn, type Process, type World } from './given-erasure.ts';

const DEVICE = '5b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
const KEY = '6b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';

const causeOf = (userId: string, { now }: World): Cause => ({
  at: now.toISOString(),
  correlationId: randomUUID(),
  causationId: randomUUID(),
  actor: { kind: 'user', id: userId },
});

const pass = (world: { now: Date }, milliseconds: number): void => {
  world.now = new Date(world.now.getTime() + milliseconds);
};

/** A user with two sessions, a device, an API key, a recorded answer and a promotional grant. */
const settledIn = async (world: World, of: Process): Promise<string> => {
  const { userId } = await of.logIn(ada, world.now.toISOString());
  await of.logIn(ada, world.now.toISOString());
  const cause = causeOf(userId, world);
  await of.registry.register(
    { userId, deviceId: DEVICE },
    {
      kind: 'desktop',
      platform: 'linux',
      platformVersion: null,
      appVersion: '1.0.0',
      relayEligible: true,
      presence: 'online',
      details: { name: 'Ada’s desk', localIps: [], publicIp: null, availablePorts: [], capabilities: {} },
      directory: '/home/ada',
    },
    cause,
  );
  const name = await world.vault.seal(userId, `apiKey-${KEY}`, 'Ada’s key');
  const data = { keyId: KEY, userId, name, secretHash: 'ab', lastFour: 'abcd', scopes: ['chat'] as const };
  await of.apiKeys.handle(
    KEY,
    { type: 'CreateApiKey', key: `create:${KEY}`, data: { ...data, budget: null, expiresAt: null, at: cause.at } },
    cause,
  );
  world.answers.add(userId);
  return userId;
};

const hold = (of: Process, world: World, userId: string, leaseSeconds: number) => {
  const at = world.now.toISOString();
  const leaseUntil = new Date(world.now.getTime() + leaseSeconds * 1000).toISOString();
  const reservationId = randomUUID();
  const data = { reservationId, work, estimate: 1000n, margin: 0n, leaseUntil, at };
  return of.accounts.handle(
    userId,
    { type: 'ReserveFunds', key: `reserve:${reservationId}`, data },
    causeOf(userId, world),
  );
};

/** Lets time pass and the job run until it says that there is nothing left to do. */
const finish = async (world: { now: Date }, of: Process, userId: string): Promise<void> => {
  for (let rounds = 0; !(await of.erasures.proceed(userId)); rounds += 1) {
    if (rounds > 20) throw new Error('the erasure does not end');
    pass(world, 1000);
  }
};

const typesOf = ({ store }: World, prefix: string): readonly string[] =>
  store
    .log()
    .filter(({ stream }) => stream.startsWith(prefix))
    .map(({ type }) => type);

/** Everything sealed in the log, opened. */
const readable = async ({ store, vault }: World, subject: string): Promise<readonly unknown[]> => {
  const sealed = store.log().flatMap(({ stream, data }) =>
    Object.values(data as Readonly<Record<string, unknown>>)
      .filter(isSealed)
      .filter(({ k }) => k === subject)
      .map((value) => ({ stream, value })),
  );
  expect(sealed.length).to.be.greaterThan(3);
  const opened = await Promise.all(sealed.map(({ stream, value }) => vault.open(stream, value)));
  return opened.filter((value) => value !== null);
};

const STEPS = [
  'ErasureRequested',
  'AccessEnded',
  'ConnectionsEnded',
  'BelongingsRemoved',
  'SubjectKeyDestroyed',
  'ReadModelsPurged',
  'CustomerForgotten',
  'ErasureCompleted',
];

const thenErased = async (world: World, userId: string): Promise<void> => {
  expect(typesOf(world, `erasure-${userId}`)).to.deep.equal(STEPS);
  expect(typesOf(world, `user-${userId}`).at(-1)).to.equal('UserRemoved');
  expect(typesOf(world, 'session-').filter((type) => type === 'SessionRevoked')).to.have.length(2);
  expect(typesOf(world, `device-${DEVICE}`).filter((type) => type === 'DeviceRemoved')).to.have.length(1);
  expect(typesOf(world, `apiKey-${KEY}`).filter((type) => type === 'ApiKeyRevoked')).to.have.length(1);
  expect(typesOf(world, `creditAccount-${userId}`).filter((type) => type === 'CreditAccountClosed')).to.have.length(1);
  expect(world.answers.size).to.equal(0);
  expect(await readable(world, userId)).to.deep.equal([]);
  const check = chainCheck();
  for (const event of world.store.log()) check.take(event);
  expect(check.report().faults).to.deep.equal([]);
};

describe('the erasure of a user', () => {
  it('takes all steps, and every amount and every hash survives', async () => {
    const world = newWorld();
    const of = processOn(world);
    const userId = await settledIn(world, of);
    const before = world.store.log().filter(({ stream }) => stream === `creditAccount-${userId}`);
    await of.erasures.request(userId, causeOf(userId, world));
    await finish(world, of, userId);
    await thenErased(world, userId);
    const account = world.store.log().filter(({ stream }) => stream === `creditAccount-${userId}`);
    expect(account.slice(0, before.length)).to.deep.equal(before);
    const destroyed = world.store.log().find(({ type }) => type === 'SubjectKeyDestroyed');
    const registered = world.store.log().find(({ type }) => type === 'UserRegistered');
    expect(destroyed?.data).to.deep.include({ keyId: userId, proof: { eventId: registered?.id, readable: false } });
    expect(await of.erasures.proceed(userId)).to.equal(true);
  });

  it('ends access at once, and connections only when their last words have passed', async () => {
    const world = newWorld();
    const of = processOn(world);
    const userId = await settledIn(world, of);
    await of.erasures.request(userId, causeOf(userId, world));
    expect((await of.users.state(userId)).status).to.equal('removed');
    pass(world, CONNECTIONS_STAY_MS - 1);
    expect(await of.erasures.proceed(userId)).to.equal(false);
    expect(typesOf(world, 'session-')).to.not.include('SessionRevoked');
    pass(world, 1);
    expect(await of.erasures.proceed(userId)).to.equal(false);
    expect(typesOf(world, 'session-')).to.include('SessionRevoked');
    pass(world, CONNECTIONS_SETTLE_MS - 1);
    expect(await of.erasures.proceed(userId)).to.equal(false);
    expect(typesOf(world, `device-${DEVICE}`)).to.not.include('DeviceRemoved');
    pass(world, 1);
    expect(await of.erasures.proceed(userId)).to.equal(true);
  });

  it('is refused while work is under way, and nothing has changed then', async () => {
    const world = newWorld();
    const of = processOn(world);
    const userId = await settledIn(world, of);
    await hold(of, world, userId, 30);
    const refusal = await failure(of.erasures.request(userId, causeOf(userId, world)));
    expect(isDomainError(refusal) && refusal.errorType).to.equal('billing_conflict');
    expect((await of.users.state(userId)).status).to.equal('registered');
    expect(typesOf(world, `erasure-${userId}`)).to.deep.equal(['ErasureRequested', 'ErasureBlocked']);
    expect(await of.erasures.proceed(userId)).to.equal(true);
    await hold(of, world, userId, 30);
  });

  it('settles the holds of owners that died, and blocks new work', async () => {
    const world = newWorld();
    const of = processOn(world);
    const userId = await settledIn(world, of);
    await hold(of, world, userId, 30);
    pass(world, 40_000);
    await of.erasures.request(userId, causeOf(userId, world));
    expect(typesOf(world, `creditAccount-${userId}`)).to.include('ReservationLeaseExpired');
    expect(isDomainError(await failure(hold(of, world, userId, 30)))).to.equal(true);
  });

  it('can be asked for again after it was refused', async () => {
    const world = newWorld();
    const of = processOn(world);
    const userId = await settledIn(world, of);
    await hold(of, world, userId, 30);
    await failure(of.erasures.request(userId, causeOf(userId, world)));
    pass(world, 40_000);
    await of.erasures.request(userId, causeOf(userId, world));
    await finish(world, of, userId);
    expect(typesOf(world, `erasure-${userId}`)).to.deep.equal(['ErasureRequested', 'ErasureBlocked', ...STEPS]);
  });

  it('goes on in another process, wherever the first one was killed', async () => {
    let killedAt = 0;
    for (let survives = true; survives; killedAt += 1) {
      const world = newWorld();
      const first = processOn(world);
      const userId = await settledIn(world, first);
      let appends = 0;
      // From this append on, nothing that the process wants to write gets to the store.
      world.store.beforeAppend(() => {
        appends += 1;
        if (appends > killedAt) throw new StoreUnavailableError('killed');
      });
      const died = await failure(
        first.erasures.request(userId, causeOf(userId, world)).then(() => finish(world, first, userId)),
      );
      survives = died !== undefined;
      world.store.beforeAppend(undefined);
      const second = processOn(world);
      // Killed before it was written down that anybody asked: the user has got no answer and asks again.
      if (killedAt === 0) await second.erasures.request(userId, causeOf(userId, world));
      await finish(world, second, userId);
      await thenErased(world, userId);
    }
    expect(killedAt).to.be.greaterThan(10);
  });

  it('is done once when several instances work on it at the same time', async () => {
    const world = newWorld();
    const [first, second, third] = [0, 1, 2].map((skewMs) => processOn(world, { skewMs }));
    if (first === undefined || second === undefined || third === undefined) throw new Error('three were made');
    const userId = await settledIn(world, first);
    await Promise.all([first, second].map((of) => of.erasures.request(userId, causeOf(userId, world))));
    for (let rounds = 0; rounds < 12; rounds += 1) {
      // Now one of them is first, then another.
      const inTurn = [first, second, third].map((_, place, all) => all[(place + rounds) % all.length] ?? first);
      await Promise.all(inTurn.map((of) => of.erasures.proceed(userId)));
      pass(world, 1000);
    }
    await thenErased(world, userId);
  });

  it('keeps the chain of hashes when another instance takes the same step in between', async () => {
    const world = newWorld();
    const second = processOn(world, { skewMs: 5 });
    let userId = '';
    let overtaken = false;
    const meanwhile = async (): Promise<void> => {
      if (!overtaken) await second.erasures.proceed(userId);
      overtaken = true;
    };
    const first = processOn(world, { meanwhile });
    userId = await settledIn(world, first);
    await first.erasures.request(userId, causeOf(userId, world));
    await finish(world, first, userId);
    expect(overtaken).to.equal(true);
    await thenErased(world, userId);
  });

  it('lets nobody back by an old token, and greets who signs in again as somebody new without a second grant', async () => {
    const world = newWorld();
    const of = processOn(world);
    const userId = await settledIn(world, of);
    await of.erasures.request(userId, causeOf(userId, world));
    await finish(world, of, userId);
    const refusal = await failure(of.service.provision(ada, randomUUID(), causeOf(userId, world)));
    expect(isDomainError(refusal) && refusal.errorType).to.equal('unauthorized');
    const fresh = await of.logIn(ada, world.now.toISOString());
    expect(fresh.userId).to.not.equal(userId);
    expect(typesOf(world, `creditAccount-${fresh.userId}`)).to.deep.equal(['CreditAccountOpened']);
    expect((await of.users.state(userId)).status).to.equal('removed');
  });
});

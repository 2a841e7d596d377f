import { expect } from 'chai';
import { creditAccount } from '../../commands/credits/index.ts';
import { chainCheck } from '../../src/finance/chain-check.ts';
import { replayedBalance } from '../../src/finance/replayed-balance.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { isStoreUnavailable } from '../../src/kernel/event-store.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';
import { capture, openAccount, reserve, T0, USER } from '../credits/fixtures.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';

const cause: Cause = {
  at: T0,
  correlationId: 'c1',
  causationId: 'c1',
  actor: { kind: 'user', id: USER },
  requestId: 'r1',
};
const pause = (): Promise<void> => Promise.resolve();

const setUp = () => {
  const store = memoryEventStore();
  const instance = () => commandHandler(creditAccount, { store, logger: silentLogger, pause });
  return { store, instance };
};

const verified = (store: ReturnType<typeof memoryEventStore>) => {
  const check = chainCheck();
  for (const event of store.log()) if (!event.type.startsWith('$')) check.take(event);
  return check.report();
};

describe('command handler', () => {
  it('chains every event to the one before it, over all its instances', async () => {
    const { store, instance } = setUp();
    const [one, two] = [instance(), instance()];
    await one.handle(USER, openAccount(2_000_000n), cause);
    await two.handle(USER, reserve('a', 10n), cause);
    await one.handle(USER, reserve('b', 10n), cause);
    await two.handle(USER, capture('b', 3n), cause);
    const report = verified(store);
    expect([report.events, report.faults]).to.deep.equal([5, []]);
  });

  it('finds an altered, a missing and a reordered event', async () => {
    const { store, instance } = setUp();
    const handler = instance();
    await handler.handle(USER, openAccount(2_000_000n), cause);
    await handler.handle(USER, reserve('a', 10n), cause);
    const [first, second, third] = store.log();
    if (first === undefined || second === undefined || third === undefined) throw new Error('three events');
    const check = (events: typeof store.log extends () => infer L ? L : never): string => {
      const run = chainCheck();
      for (const event of events) run.take(event);
      return run
        .report()
        .faults.map(({ what }) => what)
        .join('; ');
    };
    const data = { ...(second.data as object), amount: '9999999' };
    expect(check([first, { ...second, data }, third])).to.contain('altered');
    expect(check([first, third])).to.contain('missing');
    expect(check([second, first, third])).to.contain('out of order');
    expect(check([first, second, third])).to.equal('');
  });

  it('takes a rival of the same key for no repetition: one is said, and the chain goes on for both', async () => {
    const { store, instance } = setUp();
    const [one, two] = [instance(), instance()];
    const later = { ...cause, at: '2026-01-01T00:00:09.000Z' };
    // Both know the stream as empty.
    await one.state(USER);
    await two.handle(USER, openAccount(2_000_000n), later);
    await one.handle(USER, openAccount(2_000_000n), cause);
    await one.handle(USER, reserve('a', 10n), cause);
    await two.handle(USER, reserve('b', 10n), later);
    const report = verified(store);
    expect([report.events, report.faults]).to.deep.equal([4, []]);
  });

  it('does not refuse because of a state that another instance has moved on', async () => {
    const { instance } = setUp();
    const [one, two] = [instance(), instance()];
    await one.handle(USER, openAccount(100n), cause);
    await one.handle(USER, reserve('a', 100n), cause);
    await two.handle(USER, capture('a', 1n), cause);
    const { events } = await one.handle(USER, reserve('b', 99n), cause);
    expect(events.map(({ type }) => type)).to.deep.equal(['FundsReserved']);
  });

  it('lets exactly as many rivals through as the balance covers, over four instances', async () => {
    const { store, instance } = setUp();
    const instances = [instance(), instance(), instance(), instance()];
    await instances[0]?.handle(USER, openAccount(1000n), cause);
    const results = await Promise.allSettled(
      Array.from({ length: 200 }, async (_, index) => {
        const handler = instances[index % 4];
        for (;;) {
          try {
            return await handler?.handle(USER, reserve(`r${index}`, 100n), cause);
          } catch (error) {
            if (!isDomainError(error) || error.errorType !== 'service_unavailable') throw error;
          }
        }
      }),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).to.have.length(10);
    const balance = await replayedBalance(store, USER, { kind: 'now', at: new Date(T0) });
    expect([balance.availableMicro, balance.heldUsd, balance.openHolds]).to.deep.equal(['0', '0.001', 10]);
    expect(verified(store).faults).to.deep.equal([]);
  });

  it('repeats a command whose acknowledgement was lost without doing it twice', async () => {
    const { store, instance } = setUp();
    const handler = instance();
    await handler.handle(USER, openAccount(1000n), cause);
    await handler.handle(USER, reserve('a', 10n), cause);
    store.outage(true);
    const lost = await handler.handle(USER, capture('a', 5n), cause).catch((error: unknown) => error);
    expect(isStoreUnavailable(lost)).to.equal(true);
    store.outage(false);
    await handler.handle(USER, capture('a', 5n), cause);
    const again = await handler.handle(USER, capture('a', 5n), cause);
    expect(again.events).to.deep.equal([]);
    expect(store.log().filter(({ type }) => type === 'ReservationCaptured')).to.have.length(1);
  });

  it('starts from a snapshot and comes to the same state', async () => {
    const { store, instance } = setUp();
    const writer = instance();
    await writer.handle(USER, openAccount(1_000_000n), cause);
    for (let n = 0; n < 300; n += 1) {
      await writer.handle(USER, reserve(`r${n}`, 10n), cause);
      await writer.handle(USER, capture(`r${n}`, 3n), cause);
    }
    expect(store.log().filter(({ type }) => type === '$snapshot')).not.to.have.length(0);
    const fresh = await instance().state(USER);
    expect(fresh).to.deep.equal(await writer.state(USER));
    await instance().handle(USER, reserve('next', 10n), cause);
    expect(verified(store).faults).to.deep.equal([]);
  });
});

describe('commands that wait for the same stream', () => {
  const counted = async () => {
    const { store, instance } = setUp();
    const handler = instance();
    await handler.handle(USER, openAccount(1000n), cause);
    let appends = 0;
    store.beforeAppend((stream) => {
      if (stream.startsWith('creditAccount-')) appends += 1;
    });
    return { store, handler, appends: () => appends };
  };

  it('are appended together, and each gets its own answer', async () => {
    const { store, handler, appends } = await counted();
    const handled = await Promise.all(
      Array.from({ length: 10 }, (_, n) => handler.handle(USER, reserve(`r${n}`, 10n), cause)),
    );
    expect(handled.map(({ events }) => (events[0]?.data as { reservationId: string }).reservationId)).to.deep.equal(
      Array.from({ length: 10 }, (_, n) => `r${n}`),
    );
    expect(handled.map(({ revision }) => revision)).to.deep.equal(Array.from({ length: 10 }, (_, n) => BigInt(n + 2)));
    expect(appends()).to.be.at.most(2);
    expect(verified(store).faults).to.deep.equal([]);
  });

  it('refuse one without touching the others', async () => {
    const { handler } = await counted();
    const amounts = [1n, 600n, 600n, 1n, 5000n, 1n];
    const results = await Promise.allSettled(
      amounts.map((amount, n) => handler.handle(USER, reserve(`r${n}`, amount), cause)),
    );
    expect(results.map(({ status }) => status === 'fulfilled')).to.deep.equal([true, true, false, true, false, true]);
  });

  it('all fail when it is unknown whether they happened, and can all be repeated', async () => {
    const { store, handler } = await counted();
    store.outage(true);
    const all = () =>
      Promise.allSettled(Array.from({ length: 5 }, (_, n) => handler.handle(USER, reserve(`r${n}`, 100n), cause)));
    expect((await all()).filter(({ status }) => status === 'rejected')).to.have.length(5);
    store.outage(false);
    expect((await all()).filter(({ status }) => status === 'fulfilled')).to.have.length(5);
    expect(store.log().filter(({ type }) => type === 'FundsReserved')).to.have.length(5);
  });

  it('say the same thing once', async () => {
    const { store, handler } = await counted();
    await Promise.all(Array.from({ length: 5 }, () => handler.handle(USER, reserve('same', 10n), cause)));
    expect(store.log().filter(({ type }) => type === 'FundsReserved')).to.have.length(1);
  });
});

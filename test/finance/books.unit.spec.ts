import { expect } from 'chai';
import fc from 'fast-check';
import { creditAccount } from '../../commands/credits/index.ts';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import type { PurchaseEvent } from '../../src/events/purchase/purchase.events.ts';
import { replayedBooks } from '../../src/finance/replayed-books.ts';
import { statementOf } from '../../src/finance/statement.ts';
import { entriesOf, trialBalance } from '../../src/finance/trial-balance.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import type { EventStore } from '../../src/kernel/event-store.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { accountCommands } from '../billing/account-runs.ts';
import { capture, clawBack, openAccount, purchase, reserve, T0, USER } from '../credits/fixtures.ts';
import { projected } from '../billing/memory-rows.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';
import { runs } from '../support/runs.ts';

const cause = { at: T0, correlationId: 'c', causationId: 'c', actor: { kind: 'user', id: USER } } as const;
const NOW = { kind: 'now', at: new Date() } as const;

const accountsOn = (store: EventStore) => {
  const accounts = commandHandler(creditAccount, { store, logger: silentLogger, pause: () => Promise.resolve() });
  return async (user: string, command: CreditCommand): Promise<void> => {
    try {
      await accounts.handle(user, command, cause);
    } catch (error) {
      if (!isDomainError(error)) throw error;
    }
  };
};

/** Payments as the payment provider tells of them. */
const paid = async (store: EventStore, events: readonly PurchaseEvent[]): Promise<void> => {
  for (const [n, { type, data }] of events.entries()) {
    const stream = `purchase-${data.purchaseId}`;
    const { metadata } = projected(stream, n, { type, data });
    await store.append(stream, 'any', [{ id: uuidOf(`${stream}|${n}`), type, data, metadata }]);
  }
};

const trialOf = async (store: EventStore) => {
  const sums = trialBalance();
  for await (const booked of entriesOf(store, NOW)) sums.take(booked);
  return sums.report();
};

const balances = async (store: EventStore): Promise<Readonly<Record<string, string>>> =>
  Object.fromEntries((await trialOf(store)).accounts.map(({ account, balanceUsd }) => [account, balanceUsd]));

const said = { purchaseId: 'p1', userId: USER, at: T0 };
/** 10 USD with a fee of 1 and a tax of 2. */
const payment: PurchaseEvent = {
  type: 'PaymentSucceeded',
  data: {
    ...said,
    paymentIntentId: 'pi_1',
    chargeId: 'ch_1',
    invoiceId: null,
    amountMinor: 1200,
    taxMinor: 200,
    currency: 'usd',
    taxCountry: 'DE',
  },
};
const parts = { amountMinor: 1200, taxMinor: 200, creditPart: '9000000', feePartMinor: 100 };

describe('the books', () => {
  it('show money that was paid and not credited, until it is', async () => {
    const store = memoryEventStore();
    const send = accountsOn(store);
    await send(USER, openAccount(0n));
    await paid(store, [payment]);
    expect(await balances(store)).to.deep.equal({ '1000': '12', '2450': '-12' });
    await send(USER, purchase('p1', 1000));
    expect(await balances(store)).to.deep.equal({
      '1000': '12',
      '2000': '-9',
      '2200': '-2',
      '2450': '0',
      '4100': '-1',
    });
  });

  it('are as if nothing had been after a full refund, and as before when the refund fails', async () => {
    const store = memoryEventStore();
    const send = accountsOn(store);
    await send(USER, openAccount(0n));
    const refund = { ...said, refundId: 're_1', ...parts };
    await paid(store, [payment]);
    await send(USER, purchase('p1', 1000));
    const before = await balances(store);
    await paid(store, [payment, { type: 'RefundRecorded', data: { ...refund, credited: true } }]);
    await send(USER, clawBack('re_1', 'p1', 9_000_000n));
    const none = await balances(store);
    expect(Object.values(none).every((balance) => balance === '0')).to.equal(true);
    await paid(store, [payment, payment, { type: 'RefundFailed', data: refund }]);
    await send(USER, { type: 'ReverseClawback', key: 'reverse', data: { clawbackId: 're_1', at: T0 } });
    expect(await balances(store)).to.deep.equal({ ...before, '2300': '0' });
  });

  it('give back from suspense what never became credit, and lose only the fee of a dispute over it', async () => {
    const nothing = { creditPart: '0', taxMinor: 0, feePartMinor: 0 };
    const store = memoryEventStore();
    await paid(store, [payment]);
    const refund = { ...said, refundId: 're_1', amountMinor: 200, ...nothing, credited: false };
    const failed: PurchaseEvent = { type: 'RefundFailed', data: refund };
    const dispute = { ...said, disputeId: 'dp_1', amountMinor: 1200, creditPart: '0' };
    await paid(store, [payment, { type: 'RefundRecorded', data: refund }]);
    expect(await balances(store)).to.deep.equal({ '1000': '10', '2450': '-10' });
    await paid(store, [payment, payment, failed]);
    await paid(store, [
      payment,
      payment,
      payment,
      { type: 'DisputeOpened', data: { ...dispute, reason: 'fraudulent' } },
    ]);
    const lost = { ...dispute, lossFeeMinor: 1500, credited: false };
    await paid(store, [payment, payment, payment, payment, { type: 'DisputeLost', data: lost }]);
    expect(await balances(store)).to.deep.equal({ '1000': '-15', '2350': '0', '2450': '0', '5300': '15' });
  });

  it('book a lost dispute as our loss where the credit was used, and nothing where it was won', async () => {
    for (const end of ['DisputeWon', 'DisputeLost'] as const) {
      const store = memoryEventStore();
      const send = accountsOn(store);
      await send(USER, openAccount(0n));
      await paid(store, [payment]);
      for (const command of [purchase('p1', 1000), reserve('r1', 4_000_000n, 2), capture('r1', 4_000_000n, 3)]) {
        await send(USER, command);
      }
      const before = await balances(store);
      const dispute = { ...said, disputeId: 'dp_1', amountMinor: 1200, creditPart: '9000000' };
      await paid(store, [payment, { type: 'DisputeOpened', data: { ...dispute, reason: 'fraudulent' } }]);
      await send(USER, clawBack('dp_1', 'p1', 9_000_000n, 5, 'dispute'));
      expect((await balances(store))['1100']).to.equal('4');
      if (end === 'DisputeWon') {
        await paid(store, [payment, payment, { type: end, data: dispute }]);
        await send(USER, { type: 'ReverseClawback', key: 'reverse', data: { clawbackId: 'dp_1', at: T0 } });
        expect(await balances(store)).to.deep.equal({ ...before, '1100': '0', '2350': '0' });
      } else {
        await paid(store, [payment, payment, { type: end, data: { ...dispute, lossFeeMinor: 1500 } }]);
        expect(await balances(store)).to.include({ '1000': '-15', '1100': '4', '2350': '0', '5300': '18' });
      }
    }
  });

  it('balance and replay to the same hash, for whatever accounts were asked', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(fc.array(accountCommands, { minLength: 1, maxLength: 3 }), async (runs) => {
        const store = memoryEventStore();
        const send = accountsOn(store);
        for (const [user, commands] of runs.entries()) {
          for (const command of commands) await send(uuidOf(`user ${user}`), command);
        }
        const [one, two] = [await replayedBooks(store, NOW), await replayedBooks(store, NOW)];
        expect(one).to.deep.equal(two);
        expect(one).to.deep.include({ balanced: true, discrepancies: [], unbalanced: [] });
        expect(await trialOf(store)).to.include({ hash: one.hash });
      }),
      { numRuns: runs(60) },
    );
  });

  it('tell where an event says something else than a replay', async () => {
    const store = memoryEventStore();
    const send = accountsOn(store);
    await send(USER, openAccount(2_000_000n));
    await send(USER, purchase('p1', 1000, 40 * 86_400));
    const altered: EventStore = {
      ...store,
      readAll: async (options) =>
        (await store.readAll(options)).map((event) =>
          event.type === 'PromoCreditsGranted'
            ? { ...event, data: { ...(event.data as object), amount: '3000000' } }
            : event,
        ),
    };
    const { discrepancies } = await replayedBooks(altered, NOW);
    expect(discrepancies.map(({ what }) => what)).to.include('the closing of 2026-01 has another hash');
  });

  it('give statements of a month that go on where the one before ended', async () => {
    const store = memoryEventStore();
    const send = accountsOn(store);
    await send(USER, openAccount(2_000_000n, 90 * 86_400));
    await send(USER, purchase('p1', 1000, 5));
    await send(USER, reserve('r1', 1_000_000n, 33 * 86_400));
    await send(USER, capture('r1', 250_000n, 33 * 86_400 + 1));
    const [january, february, march] = await Promise.all(
      ['2026-01', '2026-02', '2026-03'].map((period) => statementOf(store, USER, period)),
    );
    expect(january).to.include({ openingUsd: '0', closingUsd: '11' });
    expect(february).to.include({ openingUsd: '11', closingUsd: '10.75' });
    expect(february?.lines.map(({ changeUsd }) => changeUsd)).to.deep.equal(['-0.25']);
    expect(march).to.include({ openingUsd: '10.75', closingUsd: '10.75' });
    expect(await statementOf(store, uuidOf('nobody'))).to.equal(undefined);
  });
});

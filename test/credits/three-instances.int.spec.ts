import { expect } from 'chai';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { totalsOf } from '../../commands/credits/credits.lots.ts';
import type { CreditAccount } from '../../commands/credits/credits.state.ts';
import { queryRunner } from '../../infra/postgres/query-runner.ts';
import { balanceProjection } from '../../projections/balance/balance.projection.ts';
import { journalProjection } from '../../projections/journal/journal.projection.ts';
import { ledgerProjection } from '../../projections/ledger/ledger.projection.ts';
import { disagreements } from '../../queries/finance/reconciliation.query.ts';
import type { CreditAccountEvent, SpendingLimits } from '../../src/events/credit-account/credit-account.events.ts';
import { replayedBooks } from '../../src/finance/replayed-books.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import { adjust, at, capture, metered, openAccount, purchase, reserve } from './fixtures.ts';
import { checked } from './account-invariants.ts';
import { startAccounts, type RunningAccounts } from './running-accounts.ts';

const INSTANCES = 3;
const USD = 1_000_000n;
const NOW = { kind: 'now', at: new Date() } as const;

const renew = (id: string, cost: bigint, seconds: number): CreditCommand => ({
  type: 'RenewReservation',
  key: `renew:${id}:${seconds}`,
  data: { reservationId: id, leaseUntil: at(seconds + 30), soFar: metered(cost), at: at(seconds) },
});

const settle = (id: string, seconds: number): CreditCommand => ({
  type: 'SettleAbandoned',
  key: `settle:${id}`,
  data: { reservationId: id, graceMs: 3000, at: at(seconds) },
});

const limits = (some: Partial<SpendingLimits>): CreditCommand => ({
  type: 'SetSpendingLimits',
  key: 'limits',
  data: {
    setBy: 'user',
    limits: { daySoft: null, dayHard: null, monthSoft: null, monthHard: null, lowBalance: null, ...some },
    at: at(1),
  },
});

const giveBack = (id: string, seconds: number): CreditCommand => ({
  type: 'ReleaseReservation',
  key: `release:${id}`,
  data: { reservationId: id, reason: 'provider_failed', at: at(seconds) },
});

const grant = (grantId: string, amount: bigint, lasts: number): CreditCommand => ({
  type: 'GrantPromo',
  key: `grant:${grantId}`,
  data: { grantId, amount, expiresAt: at(lasts), reason: 'support', fourEyesAbove: 100n * USD, at: at(1) },
});

describe('an account on three instances over a real log', function () {
  this.timeout(60_000);
  let running: RunningAccounts;
  let people = 0;
  let sent = 0;

  before(async () => {
    running = await startAccounts(INSTANCES, [balanceProjection, ledgerProjection, journalProjection], () => false);
  });
  after(() => running.stop());

  /** Somebody new, whose commands go to one instance after the other. */
  const person = (): Readonly<{
    send: (command: CreditCommand) => Promise<string | undefined>;
    together: (commands: readonly CreditCommand[]) => Promise<readonly (string | undefined)[]>;
    events: () => Promise<readonly CreditAccountEvent[]>;
    state: () => Promise<CreditAccount>;
  }> => {
    people += 1;
    const userId = uuidOf(`person ${people}`);
    const send = (command: CreditCommand): Promise<string | undefined> => {
      sent += 1;
      const id = uuidOf(`sent ${sent}`);
      const actor = { kind: 'user', id: userId } as const;
      return running.send(userId, command, { at: command.data.at, correlationId: id, causationId: id, actor }, sent);
    };
    const events = async (): Promise<readonly CreditAccountEvent[]> =>
      (await running.store().read(`creditAccount-${userId}`)).map(
        ({ type, data }) => ({ type, data }) as CreditAccountEvent,
      );
    const state = async (): Promise<CreditAccount> =>
      (await events()).reduce<CreditAccount>(
        (before, event) => checked(before, [event], { whole: false }),
        decider.initial,
      );
    return { send, together: (commands) => Promise.all(commands.map(send)), events, state };
  };

  const count = (events: readonly CreditAccountEvent[], type: CreditAccountEvent['type']): number =>
    events.filter((event) => event.type === type).length;

  it('comes to the exact sum after fifty captures and a purchase at the same time', async () => {
    const { send, together, state, events } = person();
    await send(openAccount(2n * USD));
    const ids = Array.from({ length: 50 }, (_, n) => `r${n}`);
    await together(ids.map((id) => reserve(id, 30_000n, 1)));
    await together([...ids.map((id, n) => capture(id, 10_001n + BigInt(n), 2)), purchase('p1', 5_000, 2)]);
    const spent = ids.reduce((sum, _id, n) => sum + 10_001n + BigInt(n), 0n);
    const { paid, promo, held, shortfall } = totalsOf(await state());
    expect([paid, held, shortfall]).to.deep.equal(['45000000', '0', '0']);
    expect(BigInt(promo)).to.equal(2n * USD - spent);
    expect(count(await events(), 'ReservationCaptured')).to.equal(50);
  });

  it('owes what a request cost beyond an empty balance, lets nothing begin, and pays that first', async () => {
    const { send, state } = person();
    await send(openAccount(100n));
    await send(reserve('r1', 100n, 1));
    await send(capture('r1', 700_100n, 2));
    expect(totalsOf(await state())).to.include({ promo: '0', shortfall: '700000' });
    expect(await send(reserve('r2', 1n, 3))).to.equal('credit_insufficient');
    await send(purchase('p1', 1_000, 4));
    expect(totalsOf(await state())).to.include({ paid: '8300000', shortfall: '0' });
    expect(await send(reserve('r2', 1n, 5))).to.equal(undefined);
  });

  it('keeps the lease of a stream of forty minutes, whichever instance renews it, and charges its checkpoint when all die', async () => {
    const { send, state } = person();
    await send(openAccount(2n * USD));
    await send(reserve('r1', USD, 0));
    for (let seconds = 20; seconds <= 2_400; seconds += 20) {
      await send(renew('r1', BigInt(seconds), seconds));
      // Somebody looks for abandoned holds all the time.
      if (seconds % 100 === 0) await send(settle('r1', seconds + 5));
      if (seconds === 1_200) running.replace(1);
    }
    expect(totalsOf(await state()).held, 'it is held still').to.equal('1000000');
    await send(settle('r1', 2_432));
    expect(totalsOf(await state()).held, 'its grace is not over').to.equal('1000000');
    await send(settle('r1', 2_433));
    expect(totalsOf(await state())).to.include({ held: '0', promo: (2n * USD - 2_400n).toString() });
    expect(await send(capture('r1', USD, 2_440))).to.equal(undefined);
    expect(totalsOf(await state()).promo, 'it is charged once').to.equal((2n * USD - 2_400n).toString());
  });

  it('lets free credit expire while it is held: what is used counts, what goes back is gone', async () => {
    const { send, state, events } = person();
    await send(openAccount(USD, 100));
    await send(reserve('r1', 600_000n, 10));
    await send({ type: 'ExpirePromo', key: 'expire', data: { at: at(101) } });
    expect(totalsOf(await state())).to.include({ promo: '0', held: '600000' });
    await send(capture('r1', 200_000n, 102));
    expect(totalsOf(await state())).to.deep.equal({ paid: '0', promo: '0', held: '0', shortfall: '0' });
    expect(count(await events(), 'PromoCreditsExpired')).to.equal(2);
  });

  it('gives what three lots held back to each of them', async () => {
    const { send, state } = person();
    await send(openAccount(USD, 1_000));
    await send(grant('g1', USD, 500));
    await send(purchase('p1', 1_000, 1));
    const lots = async () => {
      const account = await state();
      return account.status === 'open' ? account.lots.map(({ remaining }) => remaining) : [];
    };
    expect(await lots()).to.deep.equal([USD, USD, 9n * USD]);
    await send(reserve('r1', 5n * USD, 2));
    expect(await lots()).to.deep.equal([0n, 0n, 6n * USD]);
    await send(giveBack('r1', 3));
    expect(await lots()).to.deep.equal([USD, USD, 9n * USD]);
    await send(reserve('r2', 5n * USD, 4));
    await send(capture('r2', 1_500_000n, 5));
    expect(await lots(), 'what ends first is used first').to.deep.equal([500_000n, 0n, 9n * USD]);
  });

  it('tells of a limit, a low balance and an unusual day once each, whoever decides', async () => {
    const { send, together, events } = person();
    await send(openAccount(0n));
    await together([
      purchase('p1', 3_000, 1),
      limits({ daySoft: '3000000', monthSoft: '4000000', dayHard: '26900000' }),
    ]);
    await send(reserve('early', USD, 1));
    await send(capture('early', 1n, 1));
    const day = 5 * 86_400;
    const ids = Array.from({ length: 30 }, (_, n) => `r${n}`);
    await together(ids.map((id) => reserve(id, 890_000n, day)));
    await together(ids.map((id) => capture(id, 890_000n, day + 1)));
    const said = await events();
    const reached = said.flatMap((event) => (event.type === 'SpendingLimitReached' ? [event.data] : []));
    expect(reached.map(({ level, period }) => `${level} ${period}`).toSorted()).to.deep.equal([
      'soft day',
      'soft month',
    ]);
    expect(count(said, 'SpendingAnomalyNoticed')).to.equal(1);
    expect(count(said, 'LowBalanceNoticed')).to.equal(1);
    expect(await send(reserve('more', 200_001n, day + 2)), 'the hard limit').to.equal('spending_limit_exceeded');
    await send(purchase('p2', 1_000, day + 3));
    await together([reserve('a', 100_000n, day + 4), reserve('b', 100_000n, day + 4)]);
    await together([capture('a', 9_000_000n, day + 5), capture('b', 100_000n, day + 5)]);
    const later = await events();
    expect(count(later, 'LowBalanceNoticed'), 'low again').to.equal(2);
    expect(count(later, 'SpendingAnomalyNoticed')).to.equal(1);
  });

  it('is adjusted once when two administrators approve at the same time, and not when one of them rejects first', async () => {
    const { send, together, state, events } = person();
    await send(openAccount(0n));
    await send(adjust('a1', 3n * USD));
    const decision = (type: 'ApproveAdjustment' | 'RejectAdjustment', by: string): CreditCommand => ({
      type,
      key: `${type}:${by}`,
      data: { adjustmentId: 'a1', by, at: at(5) },
    });
    const both = await together(['admin-2', 'admin-3'].map((by) => decision('ApproveAdjustment', by)));
    expect(both).to.deep.equal([undefined, undefined]);
    expect(await send(decision('RejectAdjustment', 'admin-4'))).to.equal('billing_conflict');
    expect(totalsOf(await state()).paid).to.equal('3000000');
    expect(count(await events(), 'CreditsAdjusted')).to.equal(1);
  });

  it('closes a month once while its last events arrive', async () => {
    const { send, together, events } = person();
    await send(openAccount(2n * USD, 90 * 86_400));
    const [lastSecond, nextMonth] = [31 * 86_400 - 1, 31 * 86_400];
    await together([
      ...Array.from({ length: 10 }, (_, n) => reserve(`last${n}`, 1_000n, lastSecond)),
      ...Array.from({ length: 10 }, (_, n) => reserve(`first${n}`, 1_000n, nextMonth)),
      { type: 'CloseBooks', key: 'books', data: { at: at(nextMonth) } },
    ]);
    const said = await events();
    expect(count(said, 'BooksClosed')).to.equal(1);
    const closed = said.findIndex(({ type }) => type === 'BooksClosed');
    for (const { data } of said.slice(closed + 1)) {
      expect(data.bookedIn ?? data.at.slice(0, 7), 'nothing is booked in a closed month').to.equal('2026-02');
    }
  });

  it('has books that balance, replay to the same hash and agree with every read model', async () => {
    const [one, two] = [await replayedBooks(running.store(), NOW), await replayedBooks(running.store(), NOW)];
    expect(one).to.deep.equal(two);
    expect(one).to.deep.include({ balanced: true, unbalanced: [], discrepancies: [], accountsReplayed: people });
    await running.caughtUp();
    expect(await queryRunner(running.pools()).asSystem(disagreements(10))).to.deep.equal([]);
  });
});

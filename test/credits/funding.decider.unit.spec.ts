import { expect } from 'chai';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { available, totalsOf } from '../../commands/credits/credits.lots.ts';
import type { FundingCommand } from '../../commands/credits/funding.commands.ts';
import type { CreditAccountEvent, SpendingLimits } from '../../src/events/credit-account/credit-account.events.ts';
import { creditAccountSnapshot } from '../../commands/credits/credits.snapshot.ts';
import { fold } from '../../src/kernel/decider.ts';
import { given } from '../support/given.ts';
import {
  adjust,
  at,
  capture,
  clawBack,
  history,
  openAccount,
  purchase,
  release,
  reserve,
  stateOf,
} from './fixtures.ts';

const DAY = 86_400;

const types = (events: readonly CreditAccountEvent[]): readonly string[] => events.map(({ type }) => type);

const said = (before: readonly CreditAccountEvent[], command: CreditCommand): readonly CreditAccountEvent[] =>
  decider.decide(command, stateOf(before));

const account = (...commands: readonly CreditCommand[]) => history(openAccount(0n), ...commands);

const reversal = (clawbackId: string, seconds = 9): FundingCommand => ({
  type: 'ReverseClawback',
  key: `reverse:${clawbackId}`,
  data: { clawbackId, at: at(seconds) },
});

const blocking = (word: 'Block' | 'Unblock', ref: string, seconds = 5): FundingCommand => ({
  type: `${word}Spending`,
  key: `${word}:${ref}`,
  data: { reason: 'dispute', ref, at: at(seconds) },
});

const approval = (by: string, adjustmentId = 'a1'): FundingCommand => ({
  type: 'ApproveAdjustment',
  key: `approve:${adjustmentId}`,
  data: { adjustmentId, by, at: at(20) },
});

const closing = (paid: 'refund_paid' | 'waive_paid' = 'refund_paid', seconds = 50): FundingCommand => ({
  type: 'CloseAccount',
  key: 'close',
  data: { reason: 'erasure', paid, at: at(seconds) },
});

const NO_LIMITS: SpendingLimits = {
  daySoft: null,
  dayHard: null,
  monthSoft: null,
  monthHard: null,
  lowBalance: null,
};

const limits = (some: Partial<SpendingLimits>, setBy: 'user' | 'admin' = 'user', seconds = 2): FundingCommand => ({
  type: 'SetSpendingLimits',
  key: `limits:${seconds}`,
  data: { setBy, limits: { ...NO_LIMITS, ...some }, at: at(seconds) },
});

/** An account that owes 1 USD: a request of 3 USD on a purchase of 2. */
const owing = () => account(purchase('p1', 222), reserve('r1', 2_000_000n, 2), capture('r1', 3_000_000n, 3));

describe('credit that is bought', () => {
  it('is gross less the fee; tax is none of it', () => {
    const [bought] = said(account(), purchase('p1', 1000));
    expect(bought).to.deep.include({ type: 'CreditsPurchased' });
    expect(bought?.data).to.include({ credit: '9000000', grossMinor: 1000, feeMinor: 100, taxMinor: 200 });
    expect(bought?.data.after).to.deep.equal({ paid: '9000000', promo: '0', held: '0', shortfall: '0' });
  });

  it('comes once, even thousands of events later and after a snapshot', () => {
    let state = stateOf(account(purchase('p1', 1000)));
    let events = 0;
    for (let n = 2; events < 3000; n += 1) {
      for (const command of [reserve(`r${n}`, 1n, n), release(`r${n}`, n)]) {
        const more = decider.decide(command, state);
        state = fold(decider, state, more);
        events += more.length;
      }
    }
    const saved = JSON.parse(JSON.stringify(creditAccountSnapshot.toJson(state))) as unknown;
    for (const known of [state, creditAccountSnapshot.fromJson(saved)]) {
      expect(decider.decide(purchase('p1', 1000, 9000), known)).to.deep.equal([]);
    }
  });

  it('is refused when the same purchase gave something else', () => {
    given(decider, ...account(purchase('p1', 1000)))
      .when(purchase('p1', 2000))
      .thenRefused('already_exists');
  });

  it('settles what is owed first, in the same append', () => {
    const events = said(owing(), purchase('p2', 1000, 10));
    expect(types(events)).to.deep.equal(['CreditsPurchased', 'ShortfallSettled']);
    const state = stateOf([...owing(), ...events]);
    expect(totalsOf(state)).to.deep.equal({ paid: '8000000', promo: '0', held: '0', shortfall: '0' });
    expect(available(state, at(11))).to.equal(8_000_000n);
  });

  it('leaves what it does not cover owed, and nothing can be spent', () => {
    const events = [...owing(), ...said(owing(), purchase('p2', 100, 10))];
    expect(totalsOf(stateOf(events)).shortfall).to.equal('100000');
    given(decider, ...events)
      .when(reserve('r2', 1n, 11))
      .thenRefused('credit_insufficient');
  });
});

describe('credit that is taken back', () => {
  const two = () => account(purchase('p1', 1000, 1), purchase('p2', 1000, 2));

  it('comes from the lot of its purchase, then from other paid lots, never from promo', () => {
    const before = history(openAccount(5_000_000n), purchase('p1', 1000, 1), purchase('p2', 1000, 2));
    const spent = [...before, ...said(before, adjust('a1', -1_500_000n, 3))];
    const [back] = said(spent, clawBack('re_1', 'p2', 20_000_000n, 4));
    expect(back?.type).to.equal('CreditsClawedBack');
    expect(back?.data).to.deep.include({ requested: '20000000', shortfall: '0' });
    expect(back?.data.after).to.deep.equal({ paid: '7500000', promo: '5000000', held: '0', shortfall: '0' });
  });

  it('is owed where it was spent already, and the next request is refused', () => {
    const spent = account(purchase('p1', 1000), reserve('r1', 8_000_000n, 2), capture('r1', 8_000_000n, 3));
    const events = said(spent, clawBack('dp_1', 'p1', 9_000_000n, 4, 'dispute'));
    expect(types(events)).to.deep.equal(['CreditsClawedBack', 'ShortfallRecorded', 'LowBalanceNoticed']);
    expect(events[0]?.data).to.deep.include({ shortfall: '8000000', cause: 'dispute' });
    given(decider, ...spent, ...events)
      .when(reserve('r2', 1n, 5))
      .thenRefused('credit_insufficient');
  });

  it('never is more than was bought, over all refunds together', () => {
    const events = [...two(), ...said(two(), clawBack('re_1', 'p1', 6_000_000n, 3))];
    const rest = said(events, clawBack('re_2', 'p1', 6_000_000n, 4));
    expect(rest[0]?.data.after.paid).to.equal('9000000');
    const none = said([...events, ...rest], clawBack('re_3', 'p1', 1n, 5));
    expect(none[0]?.data).to.deep.include({ taken: [], shortfall: '0' });
  });

  it('is taken once', () => {
    given(decider, ...two(), ...said(two(), clawBack('re_1', 'p1', 1n, 3)))
      .when(clawBack('re_1', 'p1', 1n, 9))
      .thenNothing();
  });

  it('is unknown for a purchase of somebody else', () => {
    given(decider, ...two())
      .when(clawBack('re_1', 'p9', 1n, 3))
      .thenRefused('not_found');
  });

  it('comes back once when the dispute is won, and pays what is owed first', () => {
    const spent = account(purchase('p1', 1000), reserve('r1', 8_000_000n, 2), capture('r1', 8_000_000n, 3));
    const disputed = [...spent, ...said(spent, clawBack('dp_1', 'p1', 9_000_000n, 4, 'dispute'))];
    const won = said(disputed, reversal('dp_1'));
    expect(types(won)).to.deep.equal(['ClawbackReversed', 'ShortfallSettled']);
    expect(won.at(-1)?.data.after).to.deep.equal({ paid: '1000000', promo: '0', held: '0', shortfall: '0' });
    given(decider, ...disputed, ...won)
      .when(reversal('dp_1', 12))
      .thenNothing();
  });

  it('leaves what is on hold alone, and takes it when it comes free', () => {
    const held = account(purchase('p1', 1000), reserve('r1', 5_000_000n, 2));
    const refunded = [...held, ...said(held, clawBack('re_1', 'p1', 9_000_000n, 3))];
    expect(totalsOf(stateOf(refunded))).to.include({ held: '5000000', shortfall: '5000000' });
    const back = said(refunded, release('r1', 4));
    expect(types(back)).to.deep.equal(['ReservationReleased', 'ShortfallSettled']);
    expect(back.at(-1)?.data.after).to.deep.equal({ paid: '0', promo: '0', held: '0', shortfall: '0' });
  });
});

describe('what is owed', () => {
  it('is given up by us, all of it', () => {
    const data = { reasonCode: 'goodwill', at: at(9) };
    const events = said(owing(), { type: 'WriteOffShortfall', key: 'writeOff', data });
    expect(types(events)).to.deep.equal(['ShortfallWrittenOff']);
    expect(events[0]?.data.after.shortfall).to.equal('0');
  });
});

describe('spending that is blocked', () => {
  const blocked = () => account(purchase('p1', 1000), blocking('Block', 'dp_1'));

  it('is refused, and there is nothing available', () => {
    expect(available(stateOf(blocked()), at(6))).to.equal(0n);
    given(decider, ...blocked())
      .when(reserve('r1', 1n, 6))
      .thenRefused('credit_insufficient');
  });

  it('goes on once every block is lifted', () => {
    const two = [...blocked(), ...said(blocked(), blocking('Block', 'dp_2'))];
    const one = [...two, ...said(two, blocking('Unblock', 'dp_1', 7))];
    expect(available(stateOf(one), at(8))).to.equal(0n);
    const none = [...one, ...said(one, blocking('Unblock', 'dp_2', 8))];
    expect(available(stateOf(none), at(9))).to.equal(9_000_000n);
  });

  it('is not blocked again by a late repetition', () => {
    given(decider, ...blocked(), ...said(blocked(), blocking('Unblock', 'dp_1', 7)))
      .when(blocking('Block', 'dp_1', 9))
      .thenNothing();
  });
});

describe('adjustments by hand', () => {
  it('give a lot of their own, and take from lots there are', () => {
    const events = account(adjust('a1', 1_500_000n));
    expect(events.at(-1)?.data.after.paid).to.equal('1500000');
    expect(said(events, adjust('a2', -500_000n, 2))[0]?.data.after.paid).to.equal('1000000');
  });

  it('never take a balance below zero', () => {
    const detail = given(decider, ...account(adjust('a1', 1_000_000n)))
      .when(adjust('a2', -1_000_001n))
      .thenRefused('invalid_argument');
    expect(detail).to.equal('1.000001 USD cannot be taken: 1 USD of paid credit are free');
  });

  it('happen once by their id, and not with another content', () => {
    const done = given(decider, ...account(adjust('a1', 1n)));
    done.when(adjust('a1', 1n, 9)).thenNothing();
    given(decider, ...account(adjust('a1', 1n)))
      .when(adjust('a1', 2n, 9))
      .thenRefused('already_exists');
  });

  it('need four eyes above the limit', () => {
    const asked = account(adjust('a1', 2_000_001n));
    expect(types(asked)).to.deep.equal(['CreditAccountOpened', 'AdjustmentRequested']);
    expect(totalsOf(stateOf(asked)).paid).to.equal('0');
    given(decider, ...asked)
      .when(approval('admin-1'))
      .thenRefused('forbidden');
    const done = said(asked, approval('admin-2'));
    expect(done[0]?.data).to.include({ approvedBy: 'admin-2', requestedBy: 'admin-1' });
    given(decider, ...asked, ...done)
      .when(approval('admin-3'))
      .thenNothing();
  });

  it('need four eyes when several come to more than the limit within a day, and not a day later', () => {
    const one = account(adjust('a1', 1_500_000n));
    expect(types(said(one, adjust('a2', -600_000n, 60)))).to.deep.equal(['AdjustmentRequested']);
    expect(types(said(one, adjust('a2', -600_000n, DAY + 2)))).to.deep.equal(['CreditsAdjusted']);
  });

  it('are gone once rejected', () => {
    const asked = account(adjust('a1', 3_000_000n));
    const data = { adjustmentId: 'a1', by: 'admin-1', at: at(5) };
    const rejected = [...asked, ...said(asked, { type: 'RejectAdjustment', key: 'reject', data })];
    for (const late of [approval('admin-2'), adjust('a1', 3_000_000n, 8)]) {
      given(decider, ...rejected)
        .when(late)
        .thenRefused('billing_conflict');
    }
    given(decider, ...rejected)
      .when({ type: 'RejectAdjustment', key: 'reject', data: { ...data, by: 'admin-2' } })
      .thenNothing();
  });
});

describe('limits of an account', () => {
  const rich = (...commands: readonly CreditCommand[]) => account(purchase('p1', 5000), ...commands);
  const charged = (id: string, cost: bigint, seconds: number) => [
    reserve(id, cost, seconds),
    capture(id, cost, seconds),
  ];

  it('refuse what is beyond a hard one, by the user or by an administrator, to the micro-dollar', () => {
    for (const setBy of ['user', 'admin'] as const) {
      const limited = rich(limits({ dayHard: '1000000' }, setBy), ...charged('r1', 400_000n, 3));
      given(decider, ...limited)
        .when(reserve('r2', 600_001n, 4))
        .thenRefused('spending_limit_exceeded');
      expect(types(said(limited, reserve('r2', 600_000n, 4)))).to.deep.equal(['FundsReserved']);
      expect(types(said(limited, reserve('r2', 900_000n, DAY + 1)))).to.deep.equal(['FundsReserved']);
    }
  });

  it('tell of a soft one once in its period', () => {
    const limited = rich(limits({ daySoft: '500000' }), ...charged('r1', 400_000n, 3));
    const over = [...limited, ...said(limited, reserve('r2', 100_000n, 4))];
    const told = said(over, capture('r2', 100_000n, 5));
    expect(types(told)).to.deep.equal(['ReservationCaptured', 'SpendingLimitReached']);
    expect(told[1]?.data).to.include({ level: 'soft', period: 'day', scope: 'user', spent: '500000' });
    const later = [...over, ...told];
    const third = [...later, ...said(later, reserve('r3', 1n, 6))];
    expect(types(said(third, capture('r3', 1n, 7)))).to.deep.equal(['ReservationCaptured']);
  });

  it('tell of a low balance once until it was above the threshold again', () => {
    const low = (...more: readonly CreditCommand[]) =>
      types(rich(limits({ lowBalance: '44000000' }), ...charged('r1', 2_000_000n, 3), ...more)).filter(
        (type) => type === 'LowBalanceNoticed',
      ).length;
    expect(low()).to.equal(1);
    expect(low(...charged('r2', 1n, 4))).to.equal(1);
    expect(low(purchase('p2', 1000, 5))).to.equal(1);
    expect(low(purchase('p2', 1000, 5), ...charged('r2', 9_000_000n, 6))).to.equal(2);
  });

  it('tell of unusual spending once a day, and not before anything is usual', () => {
    const days = (...more: readonly CreditCommand[]) =>
      types(rich(...charged('r1', 500_000n, 3), ...more)).filter((type) => type === 'SpendingAnomalyNoticed').length;
    expect(days(...charged('r2', 9_000_000n, DAY))).to.equal(0);
    expect(days(...charged('r2', 9_000_000n, 4 * DAY))).to.equal(1);
    expect(days(...charged('r2', 9_000_000n, 4 * DAY), ...charged('r3', 1_000_000n, 4 * DAY + 9))).to.equal(1);
    expect(days(...charged('r2', 1_000_000n, 4 * DAY))).to.equal(0);
  });

  it('are set once', () => {
    given(decider, ...rich(limits({ dayHard: '1' })))
      .when(limits({ dayHard: '1' }, 'user', 8))
      .thenNothing();
  });
});

describe('the books of an account', () => {
  const january = () => account(purchase('p1', 1000), reserve('r1', 1_000_000n, 5));

  it('are closed before the first event of another month', () => {
    const events = said(january(), capture('r1', 400_000n, 32 * DAY));
    expect(types(events)).to.deep.equal(['BooksClosed', 'ReservationCaptured']);
    expect(events[0]?.data).to.deep.include({
      period: '2026-01',
      opening: { paid: '0', promo: '0', held: '0', shortfall: '0' },
      closing: { paid: '8000000', promo: '0', held: '1000000', shortfall: '0' },
      eventCount: 3,
    });
  });

  it('are closed by the job where nothing happens, once', () => {
    const command: FundingCommand = { type: 'CloseBooks', key: 'books', data: { at: at(32 * DAY) } };
    const closed = [...january(), ...said(january(), command)];
    expect(closed.at(-1)?.type).to.equal('BooksClosed');
    given(decider, ...closed)
      .when(command)
      .thenNothing();
    const still: FundingCommand = { type: 'CloseBooks', key: 'books', data: { at: at(20 * DAY) } };
    given(decider, ...january())
      .when(still)
      .thenNothing();
  });

  it('are never opened again: what comes late is booked in the month that is open', () => {
    const february = [...january(), ...said(january(), purchase('p2', 1000, 32 * DAY))];
    const [late] = said(february, capture('r1', 1n, 6));
    expect(late?.data).to.include({ at: at(6), bookedIn: '2026-02' });
  });

  it('have the same hash however the account is replayed', () => {
    const hashes = [1, 2].map(() => said(january(), purchase('p2', 1000, 32 * DAY))[0]?.data);
    expect(hashes[0]).to.deep.equal(hashes[1]);
    expect(hashes[0])
      .to.have.property('foldHash')
      .that.matches(/^[0-9a-f]{64}$/);
  });
});

describe('an account that is closed', () => {
  const mixed = () => history(openAccount(2_000_000n), purchase('p1', 1000));

  it('forfeits promo credit and keeps paid credit for its refund', () => {
    const [closed] = said(mixed(), closing());
    expect(closed?.data).to.include({ disposition: 'refund_due', remainingPaid: '9000000' });
    expect(closed?.data.after).to.deep.equal({ paid: '9000000', promo: '0', held: '0', shortfall: '0' });
  });

  it('keeps nothing when paid credit is given up', () => {
    const [closed] = said(mixed(), closing('waive_paid'));
    expect(closed?.data).to.include({ disposition: 'zero', remainingPaid: '0' });
    expect(closed?.data.after.paid).to.equal('0');
  });

  it('is not closed while work is under way or money is in dispute', () => {
    for (const command of [reserve('r1', 1n), blocking('Block', 'dp_1')]) {
      given(decider, ...mixed(), ...said(mixed(), command))
        .when(closing())
        .thenRefused('billing_conflict');
    }
  });

  it('takes no work, no purchase and no adjustment, but the refund of what was paid', () => {
    const closed = [...mixed(), ...said(mixed(), closing())];
    expect(available(stateOf(closed), at(60))).to.equal(0n);
    for (const command of [reserve('r9', 1n, 60), purchase('p9', 1000, 60), adjust('a9', 1n, 60)]) {
      given(decider, ...closed)
        .when(command)
        .thenRefused('billing_conflict');
    }
    const refunded = said(closed, clawBack('re_1', 'p1', 9_000_000n, 70));
    expect(refunded[0]?.data.after.paid).to.equal('0');
  });
});

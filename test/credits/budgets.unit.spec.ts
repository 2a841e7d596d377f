import { expect } from 'chai';
import { spentIn } from '../../commands/credits/credits.budgets.ts';
import type { ReserveFunds } from '../../commands/credits/credits.commands.ts';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import { creditAccountSnapshot } from '../../commands/credits/credits.snapshot.ts';
import type { CreditAccount } from '../../commands/credits/credits.state.ts';
import { scopeOfKey, type BudgetPeriod } from '../../src/kernel/budget.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { given } from '../support/given.ts';
import { at, capture, history, openAccount, release, reserve, stateOf, work } from './fixtures.ts';

const KEY = '6f0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
const OTHER = '7f0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
const DAY = 86_400;

type ByKey = Readonly<{ keyId?: string; limit?: bigint; period?: BudgetPeriod; seconds?: number }>;

/** A hold for work that was asked for with a key; no limit, no budget. */
const withKey = (id: string, estimate: bigint, { keyId = KEY, limit, period = 'day', seconds = 1 }: ByKey = {}) => {
  const plain = reserve(id, estimate, seconds);
  const budgets = limit === undefined ? [] : [{ scope: scopeOfKey(keyId), limit: limit.toString(), period }];
  return { ...plain, data: { ...plain.data, work: { ...work, apiKeyId: keyId }, budgets } } satisfies ReserveFunds;
};

const extend = (reservationId: string, add: bigint, seconds = 2) =>
  ({
    type: 'ExtendReservation',
    key: `extend:${reservationId}:${seconds}`,
    data: { reservationId, add, leaseUntil: at(seconds + 60), at: at(seconds) },
  }) as const;

const spent = (state: CreditAccount, period: BudgetPeriod, seconds: number): bigint =>
  state.status === 'none' ? -1n : spentIn(state, { scope: scopeOfKey(KEY), period }, at(seconds));

const opened = openAccount(10_000_000n, 400 * DAY);

describe('budgets of API keys', () => {
  it('let a key hold all of its budget, and not one micro-dollar more', () => {
    const account = history(opened);
    given(decider, ...account)
      .when(withKey('r1', 101n, { limit: 100n }))
      .thenRefused('spending_limit_exceeded');
    const full = history(opened, withKey('r1', 100n, { limit: 100n }));
    given(decider, ...full)
      .when(withKey('r2', 1n, { limit: 100n }))
      .thenRefused('spending_limit_exceeded');
  });

  it('are written on the hold, and nothing is written where there are none', () => {
    const [, , held] = history(opened, withKey('r1', 5n, { limit: 100n }));
    expect(held?.data).to.deep.include({ budgets: [{ scope: `apiKey:${KEY}`, limit: '100', period: 'day' }] });
    const [, , plain] = history(opened, reserve('r1', 5n));
    expect(plain?.data).not.to.have.property('budgets');
  });

  it('tell the rule that decided, the sums, and when it will be otherwise', () => {
    const account = history(
      opened,
      withKey('r1', 600_000n),
      capture('r1', 500_000n),
      withKey('r2', 200_000n, { seconds: 3 }),
    );
    const command = withKey('r3', 400_000n, { limit: 1_000_000n, seconds: 4 });
    try {
      decider.decide(command, stateOf(account));
      expect.fail('not refused');
    } catch (error) {
      if (!isDomainError(error)) throw error;
      expect(error.details).to.deep.equal({
        rule: { scope: `apiKey:${KEY}`, limitUsd: '1', period: 'day' },
        spentUsd: '0.5',
        heldUsd: '0.2',
        neededUsd: '0.4',
        resetsAt: '2026-01-02T00:00:00.000Z',
      });
      expect(error.message).to.contain(`the daily budget of API key ${KEY} is 1 USD`);
    }
  });

  it('count what a key without a budget spent before it got one', () => {
    const account = history(opened, withKey('r1', 90n), capture('r1', 90n));
    given(decider, ...account)
      .when(withKey('r2', 11n, { limit: 100n, seconds: 3 }))
      .thenRefused('spending_limit_exceeded');
  });

  it('do not count what other keys, or the user without a key, spend', () => {
    const account = history(opened, withKey('r1', 90n, { keyId: OTHER }), reserve('r2', 90n), capture('r2', 90n));
    expect(spent(stateOf(account), 'total', 3)).to.equal(0n);
    const [held] = decider.decide(withKey('r3', 100n, { limit: 100n }), stateOf(account));
    expect(held?.type).to.equal('FundsReserved');
  });

  it('give back what was held and not used', () => {
    const used = history(opened, withKey('r1', 100n, { limit: 100n }), capture('r1', 30n));
    const [held] = decider.decide(withKey('r2', 70n, { limit: 100n, seconds: 3 }), stateOf(used));
    expect(held?.type).to.equal('FundsReserved');
    given(decider, ...used)
      .when(withKey('r2', 71n, { limit: 100n, seconds: 3 }))
      .thenRefused('spending_limit_exceeded');
    const released = history(opened, withKey('r1', 100n, { limit: 100n }), release('r1'));
    expect(decider.decide(withKey('r2', 100n, { limit: 100n, seconds: 3 }), stateOf(released))).to.have.length(1);
  });

  it('bind extensions of a hold too', () => {
    const held = history(opened, withKey('r1', 60n, { limit: 100n }));
    given(decider, ...held)
      .when(extend('r1', 41n))
      .thenRefused('spending_limit_exceeded');
    expect(decider.decide(extend('r1', 40n), stateOf(held))).to.have.length(1);
    const free = history(opened, withKey('r1', 60n));
    expect(decider.decide(extend('r1', 1_000n), stateOf(free))).to.have.length(1);
  });

  it('are there in full again at midnight, but for what is still on hold', () => {
    const command = (seconds: number, amount: bigint) => withKey('r9', amount, { limit: 100n, seconds });
    const account = history(
      opened,
      withKey('r1', 60n, { limit: 100n }),
      capture('r1', 60n),
      withKey('r2', 40n, { limit: 100n, seconds: DAY - 1 }),
    );
    given(decider, ...account)
      .when(command(DAY - 1, 1n))
      .thenRefused('spending_limit_exceeded');
    given(decider, ...account)
      .when(command(DAY, 61n))
      .thenRefused('spending_limit_exceeded');
    expect(decider.decide(command(DAY, 60n), stateOf(account))).to.have.length(1);
  });

  it('count a charge in the period that it is made in', () => {
    const account = history(
      opened,
      withKey('r1', 50n, { seconds: DAY - 1 }),
      capture('r1', 50n, DAY + 1),
      withKey('r2', 7n, { seconds: 31 * DAY - 1 }),
      capture('r2', 7n, 31 * DAY),
    );
    const state = stateOf(account);
    const upTo = stateOf(account.slice(0, 4));
    expect([spent(upTo, 'day', DAY + 1), spent(upTo, 'month', DAY + 1)]).to.deep.equal([50n, 50n]);
    expect(['day', 'month', 'total'].map((period) => spent(state, period as BudgetPeriod, 31 * DAY))).to.deep.equal([
      7n,
      7n,
      57n,
    ]);
    expect(spent(state, 'day', 32 * DAY)).to.equal(0n);
  });

  it('count a charge by a clock that is behind in the newest period', () => {
    const account = history(
      opened,
      withKey('r1', 50n, { seconds: DAY - 2 }),
      withKey('r2', 50n, { seconds: DAY - 2 }),
      capture('r1', 50n, DAY),
      capture('r2', 50n, DAY - 1),
    );
    expect(spent(stateOf(account), 'day', DAY + 1)).to.equal(100n);
    expect(spent(stateOf(account), 'day', DAY - 1)).to.equal(100n);
  });

  it('leave out what was written off', () => {
    const small = openAccount(1_000n, 400 * DAY);
    const account = history(small, withKey('r1', 1_000n), capture('r1', 5_000_000n));
    expect(spent(stateOf(account), 'total', 3)).to.equal(2_001_000n);
  });

  it('survive a snapshot', () => {
    const state = stateOf(
      history(opened, withKey('r1', 60n, { limit: 100n }), capture('r1', 55n), withKey('r2', 9n, { limit: 100n })),
    );
    const json = JSON.parse(JSON.stringify(creditAccountSnapshot.toJson(state))) as unknown;
    expect(creditAccountSnapshot.fromJson(json)).to.deep.equal(state);
  });
});

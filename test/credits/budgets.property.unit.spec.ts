import { expect } from 'chai';
import fc from 'fast-check';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import type { CreditAccount } from '../../commands/credits/credits.state.ts';
import type { Allocation, CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { scopeOfKey, type BudgetPeriod } from '../../src/kernel/budget.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { at, capture, openAccount, release, reserve, work } from './fixtures.ts';
import { runs } from '../support/runs.ts';

const LIMIT = 1_000n;
const KEYS = ['k1', 'k2'] as const;

const step = fc.record({
  /** Up to half a day, so that a run goes over several days. */
  wait: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 43_200 })),
  kind: fc.constantFrom('reserve', 'reserve', 'capture', 'capture', 'extend', 'release', 'settle'),
  id: fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5', 'r6', 'r7', 'r8'),
  key: fc.constantFrom(...KEYS, undefined),
  amount: fc.bigInt({ min: 0n, max: 700n }),
  /** How much of the hold was really used, in percent. */
  used: fc.integer({ min: 0, max: 100 }),
});

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const sum = (alloc: readonly Allocation[]): bigint => alloc.reduce((total, { m }) => total + BigInt(m), 0n);

/** What the outside sees of the keys' spending, by the events alone. */
const outsider = (period: BudgetPeriod) => {
  const holds = new Map<string, Readonly<{ key: string | undefined; held: bigint }>>();
  const charged = new Map<string, bigint>();
  const length = { day: 10, month: 7, total: 0 }[period];
  const bucket = (key: string, time: string): string => `${key} ${time.slice(0, length)}`;
  return {
    happen: ({ type, data }: CreditAccountEvent): void => {
      if (type === 'FundsReserved') holds.set(data.reservationId, { key: data.work.apiKeyId, held: BigInt(data.held) });
      if (type === 'ReservationExtended') {
        const hold = holds.get(data.reservationId)!;
        holds.set(data.reservationId, { ...hold, held: hold.held + BigInt(data.added) });
      }
      if (type === 'ReservationCaptured' && data.work.apiKeyId !== undefined) {
        const name = bucket(data.work.apiKeyId, data.at);
        charged.set(name, (charged.get(name) ?? 0n) + sum(data.captured) + sum(data.overrun) + BigInt(data.shortfall));
      }
      if (/Captured|Released|LeaseExpired/.test(type) && 'reservationId' in data) holds.delete(data.reservationId);
    },
    held: (key: string): bigint =>
      [...holds.values()].filter((hold) => hold.key === key).reduce((total, { held }) => total + held, 0n),
    charged: (key: string, time: string): bigint => charged.get(bucket(key, time)) ?? 0n,
    heldBy: (id: string): bigint => holds.get(id)?.held ?? 0n,
  };
};

/** Work never costs more than its hold here: what an overrun does is no matter of the budget. */
const commandOf = ({ kind, id, key, amount, used }: Step, period: BudgetPeriod, held: bigint, now: number) => {
  switch (kind) {
    case 'reserve': {
      const { data, ...rest } = reserve(id, amount, now);
      if (key === undefined) return { ...rest, data };
      const budgets = [{ scope: scopeOfKey(key), limit: LIMIT.toString(), period }];
      return { ...rest, data: { ...data, work: { ...work, apiKeyId: key }, budgets } };
    }
    case 'capture':
      return capture(id, (held * BigInt(used)) / 100n, now);
    case 'release':
      return release(id, now);
    case 'settle':
      return {
        type: 'SettleAbandoned',
        key: 'settle',
        data: { reservationId: id, graceMs: 0, at: at(now) },
      } satisfies CreditCommand;
    default:
      return {
        type: 'ExtendReservation',
        key: 'extend',
        data: { reservationId: id, add: amount, leaseUntil: at(now + 30), at: at(now) },
      } satisfies CreditCommand;
  }
};

describe('budgets of API keys, for every interleaving', () => {
  for (const period of ['day', 'month', 'total'] as const) {
    it(`are never exceeded and never stricter than they say: ${period}`, () => {
      let refusals = 0;
      fc.assert(
        fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
          let state: CreditAccount = decider.initial;
          const seen = outsider(period);
          const happen = (events: readonly CreditAccountEvent[]): void => {
            for (const event of events) {
              state = decider.evolve(state, event);
              seen.happen(event);
              for (const key of KEYS) {
                const used = seen.charged(key, event.data.at) + seen.held(key);
                expect(used <= LIMIT, `${key} uses ${used}`).to.equal(true);
              }
            }
          };
          happen(decider.decide(openAccount(1_000_000_000n, 1e9), state));
          let now = 0;
          for (const next of steps) {
            // Months are gone through faster.
            now += period === 'month' ? next.wait * 20 : next.wait;
            try {
              happen(decider.decide(commandOf(next, period, seen.heldBy(next.id), now), state));
            } catch (error) {
              if (!isDomainError(error)) throw error;
              if (error.errorType !== 'spending_limit_exceeded') continue;
              refusals += 1;
              // An extension is refused by its own hold's key, a hold by the key that asks.
              const { scope } = error.details?.['rule'] as Readonly<{ scope: string }>;
              const key = KEYS.find((one) => scopeOfKey(one) === scope)!;
              expect(seen.charged(key, at(now)) + seen.held(key) + next.amount > LIMIT, 'refused with reason').to.be
                .true;
            }
          }
        }),
        { numRuns: runs(300) },
      );
      expect(refusals, 'the budgets were reached at all').to.be.greaterThan(100);
    });
  }
});

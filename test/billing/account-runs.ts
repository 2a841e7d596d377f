import fc from 'fast-check';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import type { CreditAccount } from '../../commands/credits/credits.state.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { fold } from '../../src/kernel/decider.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { at, capture, metered, openAccount, release, reserve } from '../credits/fixtures.ts';

const id = fc.integer({ min: 1, max: 12 }).map((n) => `r${n}`);
/** Mostly small beside a grant, so that a run goes on; now and then beyond it. */
const amount = fc.oneof(
  { weight: 9, arbitrary: fc.bigInt({ min: 0n, max: 200_000n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 8_000_000n }) },
);

type Make = (now: number) => CreditCommand;

const extend = (reservationId: string, add: bigint, now: number): CreditCommand => ({
  type: 'ExtendReservation',
  key: `extend:${reservationId}:${now}`,
  data: { reservationId, add, leaseUntil: at(now + 30), at: at(now) },
});

const renew = (reservationId: string, cost: bigint, now: number): CreditCommand => ({
  type: 'RenewReservation',
  key: `renew:${reservationId}:${now}`,
  data: { reservationId, leaseUntil: at(now + 30), soFar: metered(cost), at: at(now) },
});

const settle = (reservationId: string, now: number): CreditCommand => ({
  type: 'SettleAbandoned',
  key: `settle:${reservationId}`,
  data: { reservationId, graceMs: 0, at: at(now) },
});

const make: fc.Arbitrary<Make> = fc.oneof(
  fc.tuple(id, amount, amount).map(
    ([r, estimate, margin]): Make =>
      (now) =>
        reserve(r, estimate, now, margin),
  ),
  fc.tuple(id, amount, amount).map(
    ([r, estimate, margin]): Make =>
      (now) =>
        reserve(r, estimate, now, margin),
  ),
  fc.tuple(id, amount).map(
    ([r, cost]): Make =>
      (now) =>
        capture(r, cost, now),
  ),
  fc.tuple(id, amount).map(
    ([r, add]): Make =>
      (now) =>
        extend(r, add, now),
  ),
  fc.tuple(id, amount).map(
    ([r, cost]): Make =>
      (now) =>
        renew(r, cost, now),
  ),
  id.map(
    (r): Make =>
      (now) =>
        release(r, now),
  ),
  id.map(
    (r): Make =>
      (now) =>
        settle(r, now),
  ),
  fc.constant<Make>((now) => ({ type: 'ExpirePromo', key: `expire:${now}`, data: { at: at(now) } })),
);

const decided = (command: CreditCommand, state: CreditAccount): readonly CreditAccountEvent[] => {
  try {
    return decider.decide(command, state);
  } catch (error) {
    if (isDomainError(error)) return [];
    throw error;
  }
};

/** The appends of an account, each a list of events, as random commands make the real decider say them. */
export const accountRun: fc.Arbitrary<readonly (readonly CreditAccountEvent[])[]> = fc
  .tuple(
    fc.oneof(
      { weight: 1, arbitrary: fc.constant(0n) },
      { weight: 9, arbitrary: fc.bigInt({ min: 500_000n, max: 5_000_000n }) },
    ),
    fc.integer({ min: 1, max: 1500 }),
    fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), make), { minLength: 10, maxLength: 60, size: 'max' }),
  )
  .map(([grant, expiry, steps]) => {
    let now = 0;
    let state: CreditAccount = decider.initial;
    const appends: (readonly CreditAccountEvent[])[] = [];
    const run = (command: CreditCommand): void => {
      const events = decided(command, state);
      state = fold(decider, state, events);
      if (events.length > 0) appends.push(events);
    };
    run(openAccount(grant, expiry));
    for (const [wait, next] of steps) {
      now += wait;
      run(next(now));
    }
    return appends;
  });

import { expect } from 'chai';
import fc from 'fast-check';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import { totalsOf } from '../../commands/credits/credits.lots.ts';
import { creditAccountSnapshot } from '../../commands/credits/credits.snapshot.ts';
import type { CreditAccount } from '../../commands/credits/credits.state.ts';
import type { Allocation, CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { at, capture, metered, openAccount, release, reserve } from './fixtures.ts';
import { runs } from '../support/runs.ts';

const amount = fc.bigInt({ min: 0n, max: 3_000_000n });
const id = fc.constantFrom('r1', 'r2', 'r3', 'r4', 'r5');

/** A command without its time; the run puts the times in order. */
const command = fc.oneof(
  fc.record({ kind: fc.constant('reserve' as const), id, amount, margin: fc.bigInt({ min: 0n, max: 100_000n }) }),
  fc.record({ kind: fc.constant('capture' as const), id, amount }),
  fc.record({ kind: fc.constant('release' as const), id }),
  fc.record({ kind: fc.constant('renew' as const), id, amount }),
  fc.record({ kind: fc.constant('extend' as const), id, amount }),
  fc.record({ kind: fc.constant('settle' as const), id }),
  fc.record({ kind: fc.constant('expire' as const) }),
);

const step = fc.record({ wait: fc.integer({ min: 0, max: 40 }), what: command });

const commandOf = (what: typeof command extends fc.Arbitrary<infer T> ? T : never, now: number): CreditCommand => {
  switch (what.kind) {
    case 'reserve':
      return reserve(what.id, what.amount, now, what.margin);
    case 'capture':
      return capture(what.id, what.amount, now);
    case 'release':
      return release(what.id, now);
    case 'renew': {
      const data = { reservationId: what.id, leaseUntil: at(now + 30), soFar: metered(what.amount), at: at(now) };
      return { type: 'RenewReservation', key: 'renew', data };
    }
    case 'extend': {
      const data = { reservationId: what.id, add: what.amount, leaseUntil: at(now + 30), at: at(now) };
      return { type: 'ExtendReservation', key: 'extend', data };
    }
    case 'settle':
      return { type: 'SettleAbandoned', key: 'settle', data: { reservationId: what.id, graceMs: 0, at: at(now) } };
    case 'expire':
      return { type: 'ExpirePromo', key: 'expire', data: { at: at(now) } };
  }
};

const sum = (alloc: readonly Allocation[]): bigint => alloc.reduce((total, { m }) => total + BigInt(m), 0n);

/** What the outside put in minus what it took out, by the events alone. */
const flow = (event: CreditAccountEvent): bigint => {
  switch (event.type) {
    case 'PromoCreditsGranted':
      return BigInt(event.data.amount);
    case 'PromoCreditsExpired':
      return -BigInt(event.data.amount);
    case 'ReservationCaptured':
      return -(sum(event.data.captured) + sum(event.data.overrun));
    default:
      return 0n;
  }
};

const checkCapture = (event: CreditAccountEvent, heldBefore: bigint): void => {
  if (event.type !== 'ReservationCaptured') return;
  const { captured, released, overrun, shortfall, writtenOff, metered: m } = event.data;
  expect(sum(captured) + sum(overrun) + BigInt(shortfall) + BigInt(writtenOff)).to.equal(BigInt(m.cost));
  expect(sum(captured) + sum(released)).to.equal(heldBefore);
  if (sum(released) > 0n) expect(BigInt(m.cost) < heldBefore).to.equal(true);
};

const heldFor = (state: CreditAccount, reservationId: string): bigint =>
  state.status === 'none'
    ? 0n
    : state.holds
        .filter((hold) => hold.reservationId === reservationId)
        .flatMap(({ parts }) => parts)
        .reduce((total, { m }) => total + m, 0n);

describe('credit account, for every sequence of commands', () => {
  it('keeps its invariants after every event', () => {
    fc.assert(
      fc.property(
        amount,
        fc.integer({ min: 1, max: 400 }),
        fc.array(step, { maxLength: 60 }),
        (grant, expiry, steps) => {
          let state: CreditAccount = decider.initial;
          let expected = 0n;
          let now = 0;
          const ends = new Map<string, string[]>();
          const happen = (events: readonly CreditAccountEvent[]): void => {
            for (const event of events) {
              if (event.type === 'ReservationCaptured') checkCapture(event, heldFor(state, event.data.reservationId));
              state = decider.evolve(state, event);
              expected += flow(event);
              const { paid, promo, held } = event.data.after;
              expect(event.data.after).to.deep.equal(totalsOf(state));
              expect(BigInt(paid) + BigInt(promo) + BigInt(held), 'money in lots and holds').to.equal(expected);
              if (state.status === 'open') {
                for (const lot of state.lots) expect(lot.remaining >= 0n, 'no lot below zero').to.equal(true);
              }
              if ('reservationId' in event.data && /Captured|Released|Expired/.test(event.type)) {
                const reservation = event.data.reservationId;
                ends.set(reservation, [...(ends.get(reservation) ?? []), event.type]);
              }
            }
          };
          happen(decider.decide(openAccount(grant, expiry), state));
          for (const { wait, what } of steps) {
            now += wait;
            const next = commandOf(what, now);
            try {
              const events = decider.decide(next, state);
              happen(events);
              if (next.type !== 'ExtendReservation') {
                expect(decider.decide(next, state), 'the same command again').to.deep.equal([]);
              }
            } catch (error) {
              if (!isDomainError(error)) throw error;
            }
          }
          for (const kinds of ends.values()) {
            expect([
              'ReservationCaptured',
              'ReservationReleased',
              'ReservationLeaseExpired',
              'ReservationLeaseExpired,ReservationCaptured',
            ]).to.include(kinds.join(','));
          }
          const json = JSON.parse(JSON.stringify(creditAccountSnapshot.toJson(state))) as unknown;
          expect(creditAccountSnapshot.fromJson(json)).to.deep.equal(state);
        },
      ),
      { numRuns: runs(500) },
    );
  });
});

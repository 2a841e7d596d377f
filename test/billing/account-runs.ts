import fc from 'fast-check';
import type { CreditCommand } from '../../commands/credits/credits.commands.ts';
import { creditAccountDecider as decider } from '../../commands/credits/credits.decider.ts';
import type { CreditAccount } from '../../commands/credits/credits.state.ts';
import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { fold } from '../../src/kernel/decider.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import {
  adjust,
  at,
  capture,
  clawBack,
  metered,
  openAccount,
  purchase,
  release,
  reserve,
} from '../credits/fixtures.ts';

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

const cents = fc.integer({ min: 300, max: 2_000 });
const purchaseId = fc.integer({ min: 1, max: 4 }).map((n) => `p${n}`);
const clawbackId = fc.integer({ min: 1, max: 5 }).map((n) => `c${n}`);
const ref = fc.constantFrom('case-1', 'case-2');
const adjustmentId = fc.integer({ min: 1, max: 6 }).map((n) => `a${n}`);
const wishId = fc.integer({ min: 1, max: 30 }).map((n) => `w${n}`);
const signed = fc.bigInt({ min: -3_000_000n, max: 3_000_000n });
const limit = fc.option(fc.bigInt({ min: 1n, max: 4_000_000n }).map((micro) => micro.toString()));

const funding: fc.Arbitrary<Make> = fc.oneof(
  fc.tuple(purchaseId, cents).map(
    ([p, gross]): Make =>
      (now) =>
        purchase(p, gross, now),
  ),
  fc.tuple(purchaseId, cents).map(
    ([p, gross]): Make =>
      (now) =>
        purchase(p, gross, now),
  ),
  fc.tuple(clawbackId, purchaseId, amount, fc.constantFrom('refund' as const, 'dispute' as const)).map(
    ([c, p, taken, cause]): Make =>
      (now) =>
        clawBack(c, p, taken * 10n, now, cause),
  ),
  clawbackId.map((c): Make => (now) => ({
    type: 'ReverseClawback',
    key: `reverse:${c}`,
    data: { clawbackId: c, at: at(now) },
  })),
  fc.tuple(ref, fc.constantFrom('dispute' as const, 'admin' as const)).map(([r, reason]): Make => (now) => ({
    type: 'BlockSpending',
    key: `block:${reason}:${r}`,
    data: { reason, ref: r, at: at(now) },
  })),
  fc.tuple(ref, fc.constantFrom('dispute' as const, 'admin' as const)).map(([r, reason]): Make => (now) => ({
    type: 'UnblockSpending',
    key: `unblock:${reason}:${r}`,
    data: { reason, ref: r, at: at(now) },
  })),
  fc.tuple(adjustmentId, signed, fc.constantFrom('paid' as const, 'promo' as const)).map(
    ([a, change, bucket]): Make =>
      (now) =>
        adjust(a, change, now, { bucket }),
  ),
  adjustmentId.map((a): Make => (now) => ({
    type: 'ApproveAdjustment',
    key: `approve:${a}`,
    data: { adjustmentId: a, by: 'admin-2', at: at(now) },
  })),
  adjustmentId.map((a): Make => (now) => ({
    type: 'RejectAdjustment',
    key: `reject:${a}`,
    data: { adjustmentId: a, by: 'admin-1', at: at(now) },
  })),
  wishId.map((w): Make => (now) => ({
    type: 'WriteOffShortfall',
    key: `writeOff:${w}`,
    data: { wishId: w, reasonCode: 'goodwill', at: at(now) },
  })),
  fc.tuple(fc.integer({ min: 1, max: 3 }), amount).map(([g, given]): Make => (now) => ({
    type: 'GrantPromo',
    key: `grant:g${g}`,
    data: {
      grantId: `g${g}`,
      amount: given,
      expiresAt: at(now + 500),
      reason: 'support',
      fourEyesAbove: 4_000_000n,
      at: at(now),
    },
  })),
  fc
    .tuple(limit, limit, fc.constantFrom('user' as const, 'admin' as const), wishId)
    .map(([soft, hard, setBy, w]): Make => (now) => ({
      type: 'SetSpendingLimits',
      key: `limits:${w}`,
      data: {
        wishId: w,
        setBy,
        limits: { daySoft: soft, dayHard: hard, monthSoft: hard, monthHard: null, lowBalance: soft },
        at: at(now),
      },
    })),
  fc.constant<Make>((now) => ({ type: 'CloseBooks', key: `books:${now}`, data: { at: at(now) } })),
);

const working: fc.Arbitrary<Make> = fc.oneof(
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

/** The end of an account; rare, for little can happen after it. */
const ending = fc.constantFrom('refund_paid' as const, 'waive_paid' as const).map((paid): Make => (now) => ({
  type: 'CloseAccount',
  key: 'close',
  data: { reason: 'erasure', paid, at: at(now) },
}));

const make: fc.Arbitrary<Make> = fc.oneof(
  { weight: 30, arbitrary: working },
  { weight: 20, arbitrary: funding },
  { weight: 1, arbitrary: ending },
);

/** Seconds until the next command: mostly a moment, now and then days, so that months end. */
const wait = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 86_400, max: 30 * 86_400 }) },
);

/** Random commands on one account in the order of their times; the first opens it. */
export const accountCommands: fc.Arbitrary<readonly CreditCommand[]> = fc
  .tuple(
    fc.oneof(
      { weight: 1, arbitrary: fc.constant(0n) },
      { weight: 9, arbitrary: fc.bigInt({ min: 500_000n, max: 5_000_000n }) },
    ),
    fc.oneof(fc.integer({ min: 1, max: 1500 }), fc.constant(90 * 86_400)),
    fc.array(fc.tuple(wait, make), { minLength: 10, maxLength: 60, size: 'max' }),
  )
  .map(([grant, expiry, steps]) => {
    let now = 0;
    const commands = steps.map(([later, next]) => {
      now += later;
      return next(now);
    });
    return [openAccount(grant, expiry), ...commands];
  });

/** The appends of an account, each a list of events, as random commands make the real decider say them. */
export const accountRun: fc.Arbitrary<readonly (readonly CreditAccountEvent[])[]> = accountCommands.map((commands) => {
  let state: CreditAccount = decider.initial;
  const appends: (readonly CreditAccountEvent[])[] = [];
  for (const command of commands) {
    const events = decided(command, state);
    state = fold(decider, state, events);
    if (events.length > 0) appends.push(events);
  }
  return appends;
});

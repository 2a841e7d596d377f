import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { notAfter } from '../../src/kernel/clock.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microText, usdText, type MicroUsd } from '../../src/kernel/money.ts';
import type {
  CreditCommand,
  ExpirePromo,
  ExtendReservation,
  OpenAccount,
  RenewReservation,
  ReserveFunds,
} from './credits.commands.ts';
import { adjust, approve, reject } from './credits.adjustments.ts';
import { closingOf } from './credits.books.ts';
import { refuseOverBudget } from './credits.budgets.ts';
import { withConsequences, withNotices } from './credits.consequences.ts';
import { expiryOf, holdOf, mustBeInUse, mustBeOpen, type Draft } from './credits.drafts.ts';
import { evolveCreditAccount } from './credits.evolve.ts';
import { signupLotOf } from './credits.four-eyes.ts';
import { clawBack, grant, purchase, reverse } from './credits.funding.ts';
import { allocate, allocationOf, available, blockOf, shortfallOf } from './credits.lots.ts';
import type { CloseBooks } from './funding.commands.ts';
import { capture, release, settleAbandoned } from './credits.settlement.ts';
import { block, close, setLimits, unblock, writeOff } from './credits.standing.ts';
import type { CreditAccount, Hold, OpenAccountState } from './credits.state.ts';

const open = ({ data }: OpenAccount, state: CreditAccount): readonly Draft[] => {
  if (state.status === 'open') return [];
  const { userId, signupGrant, grantExpiresAt, at } = data;
  const opened: Draft = { type: 'CreditAccountOpened', data: { userId, currency: 'USD', at } };
  if (signupGrant <= 0n) return [opened];
  const grantId = signupLotOf(userId);
  const amount = microText(signupGrant);
  return [
    opened,
    {
      type: 'PromoCreditsGranted',
      data: { grantId, lotId: grantId, amount, expiresAt: grantExpiresAt, reason: 'signup', at },
    },
  ];
};

const refuseWhenShort = (account: OpenAccountState, needed: MicroUsd, at: IsoTime): void => {
  const blocked = blockOf(account);
  if (blocked !== undefined) {
    throw new DomainError('credit_insufficient', `spending is blocked (${blocked.reason}); ask the support`, {
      details: { blocked: blocked.reason },
    });
  }
  if (account.owed.length > 0) {
    const owed = usdText(shortfallOf(account));
    throw new DomainError('credit_insufficient', `${owed} USD are owed from earlier use; buy credits to go on`, {
      details: { owedUsd: owed },
    });
  }
  const free = available(account, at);
  if (needed <= free) return;
  throw new DomainError(
    'credit_insufficient',
    `this request needs up to ${usdText(needed)} USD and ${usdText(free)} USD are available; ` +
      'buy credits, ask for fewer output tokens or wait for running requests to end',
    { details: { neededUsd: usdText(needed), availableUsd: usdText(free) } },
  );
};

/** Holds whose owner is dead are not counted: their work has stopped. */
const refuseWhenBusy = ({ holds }: OpenAccountState, maxOpen: number, at: IsoTime): void => {
  if (holds.length < maxOpen) return;
  const living = holds.filter(({ leaseUntil }) => !notAfter(leaseUntil, at)).length;
  if (living < maxOpen) return;
  throw new DomainError(
    'rate_limit_error',
    `${living} requests of this user are running; wait until one of them ends`,
    { retryAfterSeconds: 1 },
  );
};

const isSettled = (account: OpenAccountState, reservationId: string): boolean =>
  account.settled.some((entry) => entry.reservationId === reservationId);

const reserve = ({ data }: ReserveFunds, state: CreditAccount): readonly Draft[] => {
  const account = mustBeInUse(state);
  const { reservationId, work, estimate, margin, budgets = [], maxOpen = Infinity, leaseUntil, at } = data;
  if (holdOf(account, reservationId) !== undefined || isSettled(account, reservationId)) return [];
  const needed = estimate + margin;
  refuseWhenBusy(account, maxOpen, at);
  refuseWhenShort(account, needed, at);
  refuseOverBudget(account, budgets, needed, at);
  const alloc = allocationOf(allocate(account.lots, needed, at));
  const amounts = { estimate: microText(estimate), margin: microText(margin), held: microText(needed) };
  const kept = budgets.length === 0 ? {} : { budgets };
  return [{ type: 'FundsReserved', data: { reservationId, work, ...amounts, alloc, leaseUntil, ...kept, at } }];
};

const mustBeHeld = (account: OpenAccountState, reservationId: string): Hold => {
  const hold = holdOf(account, reservationId);
  if (hold !== undefined) return hold;
  throw new DomainError('billing_conflict', 'this reservation has already ended', { details: { reservationId } });
};

const renew = ({ data }: RenewReservation, state: CreditAccount): readonly Draft[] => {
  const { reservationId, leaseUntil, soFar, at } = data;
  const hold = mustBeHeld(mustBeOpen(state), reservationId);
  if (notAfter(leaseUntil, hold.leaseUntil)) return [];
  return [{ type: 'ReservationExtended', data: { reservationId, added: '0', alloc: [], leaseUntil, soFar, at } }];
};

const extend = ({ data }: ExtendReservation, state: CreditAccount): readonly Draft[] => {
  const account = mustBeOpen(state);
  const { reservationId, add, leaseUntil, at } = data;
  const { budgets } = mustBeHeld(account, reservationId);
  refuseWhenShort(account, add, at);
  refuseOverBudget(account, budgets, add, at);
  const alloc = allocationOf(allocate(account.lots, add, at));
  return [
    { type: 'ReservationExtended', data: { reservationId, added: microText(add), alloc, leaseUntil, soFar: null, at } },
  ];
};

type Deciding = {
  readonly [T in Exclude<CreditCommand['type'], 'ExpirePromo' | 'CloseBooks'>]: (
    command: Extract<CreditCommand, { type: T }>,
    state: CreditAccount,
  ) => readonly Draft[];
};

const deciding: Deciding = {
  OpenAccount: open,
  ReserveFunds: reserve,
  RenewReservation: renew,
  ExtendReservation: extend,
  CaptureReservation: capture,
  ReleaseReservation: release,
  SettleAbandoned: settleAbandoned,
  PurchaseCredits: purchase,
  ClawBackCredits: clawBack,
  ReverseClawback: reverse,
  GrantPromo: grant,
  AdjustCredits: adjust,
  ApproveAdjustment: approve,
  RejectAdjustment: reject,
  WriteOffShortfall: writeOff,
  BlockSpending: block,
  UnblockSpending: unblock,
  SetSpendingLimits: setLimits,
  CloseAccount: close,
};

type Deliberate = Exclude<CreditCommand, ExpirePromo | CloseBooks>;

const draftsOf = (command: Deliberate, state: CreditAccount): readonly Draft[] =>
  (deciding[command.type] as (command: Deliberate, state: CreditAccount) => readonly Draft[])(command, state);

const decide = (command: CreditCommand, state: CreditAccount): readonly CreditAccountEvent[] => {
  const { at } = command.data;
  if (command.type === 'CloseBooks') return withNotices(state, at, closingOf(state, at));
  if (command.type === 'ExpirePromo') {
    const expired = expiryOf(state, at);
    return expired.length === 0 ? [] : withNotices(state, at, [...closingOf(state, at), ...expired]);
  }
  return withConsequences(state, at, (account) => draftsOf(command, account));
};

/** Decides everything about one user's money; the only place where a balance is decided. */
export const creditAccountDecider: Decider<CreditAccount, CreditCommand, CreditAccountEvent> = {
  initial: { status: 'none' },
  evolve: evolveCreditAccount,
  decide,
};

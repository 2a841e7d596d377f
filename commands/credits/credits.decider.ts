import type { CreditAccountEvent } from '../../src/events/credit-account/credit-account.events.ts';
import { notAfter } from '../../src/kernel/clock.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import { DomainError } from '../../src/kernel/errors.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import { microText, usdText, type MicroUsd } from '../../src/kernel/money.ts';
import { never } from '../../src/kernel/never.ts';
import type {
  CreditCommand,
  ExtendReservation,
  OpenAccount,
  RenewReservation,
  ReserveFunds,
} from './credits.commands.ts';
import { refuseOverBudget } from './credits.budgets.ts';
import { expiryOf, holdOf, mustBeOpen, saying, withExpiry, type Draft } from './credits.drafts.ts';
import { evolveCreditAccount } from './credits.evolve.ts';
import { allocate, allocationOf, available } from './credits.lots.ts';
import { capture, release, settleAbandoned } from './credits.settlement.ts';
import type { CreditAccount, Hold, OpenAccountState } from './credits.state.ts';

const open = ({ data }: OpenAccount, state: CreditAccount): readonly Draft[] => {
  if (state.status === 'open') return [];
  const { userId, signupGrant, grantExpiresAt, at } = data;
  const opened: Draft = { type: 'CreditAccountOpened', data: { userId, currency: 'USD', at } };
  if (signupGrant <= 0n) return [opened];
  const grantId = uuidOf(`signup:${userId}`);
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
  if (account.shortfall > 0n) {
    const owed = usdText(account.shortfall);
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
  const account = mustBeOpen(state);
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

const draft = (command: CreditCommand, state: CreditAccount): readonly Draft[] => {
  switch (command.type) {
    case 'OpenAccount':
      return open(command, state);
    case 'ReserveFunds':
      return reserve(command, state);
    case 'RenewReservation':
      return renew(command, state);
    case 'ExtendReservation':
      return extend(command, state);
    case 'CaptureReservation':
      return capture(command, state);
    case 'ReleaseReservation':
      return release(command, state);
    case 'SettleAbandoned':
      return settleAbandoned(command, state);
    case 'ExpirePromo':
      return [];
    default:
      return never(command);
  }
};

/** Decides everything about one user's money; the only place where a balance is decided. */
export const creditAccountDecider: Decider<CreditAccount, CreditCommand, CreditAccountEvent> = {
  initial: { status: 'none' },
  evolve: evolveCreditAccount,
  decide: (command, state) =>
    command.type === 'ExpirePromo'
      ? saying(state, expiryOf(state, command.data.at))
      : withExpiry(state, command.data.at, draft(command, state)),
};

import type { EndedBy, FinishReason } from '../../src/kernel/usage.ts';
import type { BudgetRule } from '../../src/kernel/budget.ts';
import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import type { FundingCommand } from './funding.commands.ts';
import type { FailedAttempt, Metered, ServedBy, Work } from '../../src/events/credit-account/credit-account.events.ts';

/** Opens the account at the first sign-in, with the signup grant in the same append. Key `account:<userId>`. */
export type OpenAccount = Command<
  'OpenAccount',
  Readonly<{ userId: string; signupGrant: MicroUsd; grantExpiresAt: IsoTime; at: IsoTime }>
>;

/**
 * Puts money on hold for one piece of work; refused with credit_insufficient, with spending_limit_exceeded when a budget
 * does not cover it, and with rate_limit_error when as much work as may is under way. Key `reserve:<reservationId>`.
 */
export type ReserveFunds = Command<
  'ReserveFunds',
  Readonly<{
    reservationId: string;
    work: Work;
    estimate: MicroUsd;
    margin: MicroUsd;
    /** Absent: nothing limits it but the balance. */
    budgets?: readonly BudgetRule[];
    /** How many holds may live at a time, this one included; absent: any number. */
    maxOpen?: number;
    leaseUntil: IsoTime;
    at: IsoTime;
  }>
>;

/** Keeps a hold alive and notes what the work has cost so far. Key `renew:<reservationId>:<n>`. */
export type RenewReservation = Command<
  'RenewReservation',
  Readonly<{ reservationId: string; leaseUntil: IsoTime; soFar: Metered | null; at: IsoTime }>
>;

/** Puts more money on a hold; refused as the hold itself would be. Key `extend:<reservationId>:<n>`. */
export type ExtendReservation = Command<
  'ExtendReservation',
  Readonly<{ reservationId: string; add: MicroUsd; leaseUntil: IsoTime; at: IsoTime }>
>;

/** How a piece of work ended, for the charge. */
export type Outcome = Readonly<{
  metered: Metered;
  /** True when the provider's final usage is missing and the numbers are our own count. */
  estimated: boolean;
  finish: FinishReason | null;
  endedBy: EndedBy;
  upstreamId: string | null;
  durationMs: number;
  servedBy?: ServedBy;
}>;

/** Charges what the work cost and gives the rest of the hold back. Key `capture:<reservationId>`. */
export type CaptureReservation = Command<
  'CaptureReservation',
  Readonly<{ reservationId: string; outcome: Outcome; at: IsoTime }>
>;

/**
 * Gives the whole hold back: nothing was consumed. `superseded` is for a hold whose lease is over and whose work somebody
 * else begins anew: no late capture can follow then. Keys `release:<reservationId>` and `supersede:<reservationId>`.
 */
export type ReleaseReservation = Command<
  'ReleaseReservation',
  Readonly<{
    reservationId: string;
    reason: 'provider_failed' | 'cancelled_before_start' | 'rejected' | 'superseded';
    failed?: readonly FailedAttempt[];
    at: IsoTime;
  }>
>;

/**
 * Settles a hold whose lease is over since `graceMs`: captures what the last checkpoint said, or gives it back when
 * there is none. Says nothing when the hold lives or is settled. Key `settle:<reservationId>`.
 */
export type SettleAbandoned = Command<
  'SettleAbandoned',
  Readonly<{ reservationId: string; graceMs: number; at: IsoTime }>
>;

/** Writes down promo credit whose time is over. Key `expire:<at>`. */
export type ExpirePromo = Command<'ExpirePromo', Readonly<{ at: IsoTime }>>;

export type CreditCommand =
  | FundingCommand
  | OpenAccount
  | ReserveFunds
  | RenewReservation
  | ExtendReservation
  | CaptureReservation
  | ReleaseReservation
  | SettleAbandoned
  | ExpirePromo;

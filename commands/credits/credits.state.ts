import type { Metered, Work } from '../../src/events/credit-account/credit-account.events.ts';
import type { BudgetRule } from '../../src/kernel/budget.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';

/** Money of one origin. Money on hold has already left its lot. */
export type Lot = Readonly<{
  lotId: string;
  kind: 'promo' | 'paid';
  remaining: MicroUsd;
  since: IsoTime;
  /** Promo only. */
  expiresAt: IsoTime | undefined;
}>;

/** An amount taken from, or going back to, a lot. */
export type Part = Readonly<{ lotId: string; m: MicroUsd }>;

/** An open hold. */
export type Hold = Readonly<{
  reservationId: string;
  work: Work;
  parts: readonly Part[];
  since: IsoTime;
  leaseUntil: IsoTime;
  soFar: Metered | null;
  /** What extensions of it must keep too. */
  budgets: readonly BudgetRule[];
}>;

/** A hold that has ended; remembered so that a repeated command says nothing. Kept small: busy accounts have many. */
export type Settled = Readonly<{
  reservationId: string;
  how: 'captured' | 'released' | 'expired';
  at: IsoTime;
  /** What a late capture needs; only of a hold whose lease has expired. */
  unfinished: Readonly<{ work: Work; since: IsoTime }> | null;
}>;

/** What one scope was charged: in the newest day and month (UTC) that it was charged in, and ever. */
export type Spent = Readonly<{
  day: string;
  inDay: MicroUsd;
  month: string;
  inMonth: MicroUsd;
  total: MicroUsd;
}>;

export type OpenAccountState = Readonly<{
  status: 'open';
  userId: string;
  lots: readonly Lot[];
  holds: readonly Hold[];
  /** Oldest first: the newest few hundred, and for 48 hours those that a late capture may follow. */
  settled: readonly Settled[];
  shortfall: MicroUsd;
  /** By scope. Kept without a budget too: one that is set later counts what was spent before it. */
  spent: Readonly<Record<string, Spent>>;
}>;

export type CreditAccount = Readonly<{ status: 'none' }> | OpenAccountState;

/** How long a late capture may follow an expired lease. */
export const REMEMBERED_MS = 48 * 60 * 60 * 1000;

/** At least so many settled holds are remembered, at most twice as many: a command is repeated soon or not at all. */
export const REMEMBERED = 200;

import type {
  AdjustmentRequested,
  BlockReason,
  ClawbackCause,
  Metered,
  ShortfallRecorded,
  SpendingLimits,
  Totals,
  Work,
} from '../../src/events/credit-account/credit-account.events.ts';
import type { BudgetRule } from '../../src/kernel/budget.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';

/** Money of one origin. Money on hold has already left its lot. */
export type Lot = Readonly<{
  lotId: string;
  kind: 'promo' | 'paid';
  /** What it held at first. */
  given: MicroUsd;
  remaining: MicroUsd;
  since: IsoTime;
  /** Promo only. */
  expiresAt: IsoTime | undefined;
  /** What it was bought with; null: it was given. Lots are never forgotten, so no purchase is credited twice. */
  purchase: Readonly<{ purchaseId: string; credit: MicroUsd; clawed: MicroUsd }> | null;
}>;

/** An amount taken from, or going back to, a lot; `kind` as in an Allocation. */
export type Part = Readonly<{ lotId: string; m: MicroUsd; kind?: 'paid' }>;

/** Something that is owed. */
export type Owed = Readonly<{
  shortfallId: string;
  m: MicroUsd;
  cause: ShortfallRecorded['data']['cause'];
  ref: string;
}>;

/** Credit that was taken back from a purchase; `lotId` is the purchase's lot. */
export type Clawback = Readonly<{
  clawbackId: string;
  purchaseId: string;
  lotId: string;
  cause: ClawbackCause;
  /** What the refund or dispute stands for. */
  requested: MicroUsd;
  /** What of it was taken or owed: no more than the purchase still had. */
  m: MicroUsd;
  /** What of `m` was owed and given up by us. */
  forgiven: MicroUsd;
  reversed: boolean;
}>;

export type Block = Readonly<{ reason: BlockReason; ref: string; lifted: boolean }>;

/** What an administrator wanted; remembered for ever, for there are few. */
export type Adjustment = Readonly<{
  adjustmentId: string;
  /** Tells whether a command with the same id means the same. */
  content: string;
  at: IsoTime;
  /** The size of what was done without a second administrator. */
  m: MicroUsd;
  /** What waits for a second administrator. */
  waiting: Omit<AdjustmentRequested['data'], 'at' | 'after' | 'bookedIn'> | null;
  /** Somebody said no. */
  rejected: boolean;
}>;

/** Something that was asked for under a name of its own, so that asking again is noticed. */
export type Wish = Readonly<{ wishId: string; content: string }>;

/** The month that is open, and what the closing of it will say. */
export type Books = Readonly<{
  /** The newest month that was closed; empty: none was. */
  closed: string;
  /** The month of the events since then; empty: there are none. */
  month: string;
  events: number;
  opening: Totals;
}>;

/** What the user was told already, and what tells whether spending is usual. */
export type Told = Readonly<{
  /** True until the balance has been above the threshold again. */
  low: boolean;
  /** By scope, level, period and limit: the last day or month that it was told of in. */
  reached: Readonly<Record<string, string>>;
  /** The last day of unusual spending; empty: none. */
  unusual: string;
  /** What was spent on each of the last days with spending, oldest first. */
  days: readonly Readonly<{ day: string; m: MicroUsd }>[];
}>;

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
  /** Oldest first: the newest few hundred, and for 24 hours those that a late capture may follow. */
  settled: readonly Settled[];
  owed: readonly Owed[];
  clawbacks: readonly Clawback[];
  blocks: readonly Block[];
  adjustments: readonly Adjustment[];
  limits: Readonly<{ user: SpendingLimits | null; admin: SpendingLimits | null }>;
  /** Changes of limits and write-offs, oldest first: the newest hundred. */
  wishes: readonly Wish[];
  told: Told;
  books: Books;
  /** Only clawbacks, reversals and write-offs are accepted any more. */
  closed: boolean;
  /** By scope. Kept without a budget too: one that is set later counts what was spent before it. */
  spent: Readonly<Record<string, Spent>>;
}>;

export type CreditAccount = Readonly<{ status: 'none' }> | OpenAccountState;

/** How long a late capture may follow an expired lease. */
export const REMEMBERED_MS = 24 * 60 * 60 * 1000;

/** At least so many settled holds are remembered, at most twice as many: a command is repeated soon or not at all. */
export const REMEMBERED = 200;

/** An account that was just opened. */
export const opened = (userId: string): OpenAccountState => ({
  status: 'open',
  userId,
  lots: [],
  holds: [],
  settled: [],
  owed: [],
  clawbacks: [],
  blocks: [],
  adjustments: [],
  limits: { user: null, admin: null },
  wishes: [],
  told: { low: true, reached: {}, unusual: '', days: [] },
  books: { closed: '', month: '', events: 0, opening: { paid: '0', promo: '0', held: '0', shortfall: '0' } },
  closed: false,
  spent: {},
});

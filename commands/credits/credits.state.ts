import type { Metered, Work } from '../../src/events/credit-account/credit-account.events.ts';
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
}>;

/** A hold that has ended; remembered so that a repeated command says nothing. Kept small: busy accounts have many. */
export type Settled = Readonly<{
  reservationId: string;
  how: 'captured' | 'released' | 'expired';
  at: IsoTime;
  /** What a late capture needs; only of a hold whose lease has expired. */
  unfinished: Readonly<{ work: Work; since: IsoTime }> | null;
}>;

export type OpenAccountState = Readonly<{
  status: 'open';
  userId: string;
  lots: readonly Lot[];
  holds: readonly Hold[];
  /** Of the last 48 hours, oldest first, and no more than the newest 1,000. */
  settled: readonly Settled[];
  shortfall: MicroUsd;
}>;

export type CreditAccount = Readonly<{ status: 'none' }> | OpenAccountState;

/** How long a settled hold is remembered. A late capture is accepted within it. */
export const REMEMBERED_MS = 48 * 60 * 60 * 1000;

/** How many settled holds are remembered. */
export const REMEMBERED = 1000;

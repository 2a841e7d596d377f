import type { BudgetRule } from '../../kernel/budget.ts';
import type { Event, IsoTime } from '../../kernel/message.ts';
import type { MicroText } from '../../kernel/money.ts';
import type { EndedBy, FinishReason, Usage } from '../../kernel/usage.ts';
import type { FundingEvent } from './funding.events.ts';
import type { Allocation, Said } from './said.ts';

export type * from './funding.events.ts';
export type { Allocation, Totals } from './said.ts';

/** Tokens of one class, the rate they were charged at (pico-USD per token) and their cost in pico-USD. */
export type CostLine = Readonly<{ class: string; tokens: number; ratePico: string; costPico: string }>;

/** What an answer used and cost: on every charge, and on the checkpoints of a long stream. */
export type Metered = Readonly<{
  usage: Usage;
  /** The provider's own block, untouched; null when none came. */
  rawUsage: unknown;
  lines: readonly CostLine[];
  costPico: string;
  cost: MicroText;
}>;

/** Which work a hold was made for; fixed at admission, so is its price. */
export type Work = Readonly<{
  kind: 'chat' | 'video' | 'transcription';
  taskType: string;
  modelId: string;
  provider: string;
  priceVersion: string;
  streamed: boolean;
  /** The API key that it was asked for with; absent: somebody who was signed in asked. */
  apiKeyId?: string;
}>;

/** A provider that failed: before it had said anything, so that another one could be asked, or in the middle. */
export type FailedAttempt = Readonly<{
  provider: string;
  model: string;
  failure: string;
  status: number | null;
  at: IsoTime;
}>;

/** Who did the work, by which rule an answer that was left is charged, and who failed, in that order. */
export type ServedBy = Readonly<{
  provider: string;
  model: string;
  onDisconnect: 'count' | 'drain' | 'look_up';
  failed: readonly FailedAttempt[];
}>;

export type CreditAccountOpened = Event<'CreditAccountOpened', Said<Readonly<{ userId: string; currency: 'USD' }>>>;

export type PromoCreditsGranted = Event<
  'PromoCreditsGranted',
  Said<
    Readonly<{
      grantId: string;
      lotId: string;
      amount: MicroText;
      expiresAt: IsoTime;
      reason: 'signup' | 'support' | 'campaign';
    }>
  >
>;

export type PromoCreditsExpired = Event<'PromoCreditsExpired', Said<Readonly<{ lotId: string; amount: MicroText }>>>;

export type FundsReserved = Event<
  'FundsReserved',
  Said<
    Readonly<{
      reservationId: string;
      work: Work;
      estimate: MicroText;
      margin: MicroText;
      held: MicroText;
      alloc: readonly Allocation[];
      leaseUntil: IsoTime;
      /** The budgets that this hold keeps, and every extension of it; absent: none. */
      budgets?: readonly BudgetRule[];
    }>
  >
>;

/** More time, more money (`added` may be 0) and, for a long stream, what it has cost so far. */
export type ReservationExtended = Event<
  'ReservationExtended',
  Said<
    Readonly<{
      reservationId: string;
      added: MicroText;
      alloc: readonly Allocation[];
      leaseUntil: IsoTime;
      soFar: Metered | null;
    }>
  >
>;

/**
 * The charge. `captured` came from the hold, `released` went back to its lots, `overrun` was taken from free lots,
 * `shortfall` is owed, `writtenOff` is our loss: captured + overrun + shortfall + writtenOff = cost.
 */
export type ReservationCaptured = Event<
  'ReservationCaptured',
  Said<
    Readonly<{
      reservationId: string;
      work: Work;
      metered: Metered;
      /** True when the provider's final usage is missing and the numbers are our own count. */
      estimated: boolean;
      finish: FinishReason | null;
      endedBy: EndedBy;
      upstreamId: string | null;
      startedAt: IsoTime;
      durationMs: number;
      /** Absent in charges of before this was kept, and where the server died. */
      servedBy?: ServedBy;
      captured: readonly Allocation[];
      released: readonly Allocation[];
      overrun: readonly Allocation[];
      shortfall: MicroText;
      writtenOff: MicroText;
      late: boolean;
    }>
  >
>;

export type ReservationReleased = Event<
  'ReservationReleased',
  Said<
    Readonly<{
      reservationId: string;
      /** `superseded`: after its lease was over the work was begun anew; a late charge cannot follow. */
      reason: 'provider_failed' | 'cancelled_before_start' | 'rejected' | 'superseded';
      released: readonly Allocation[];
      failed?: readonly FailedAttempt[];
    }>
  >
>;

/** The process that held the money died before it knew any cost; the money goes back. */
export type ReservationLeaseExpired = Event<
  'ReservationLeaseExpired',
  Said<Readonly<{ reservationId: string; released: readonly Allocation[]; lastSeenAt: IsoTime }>>
>;

export type ShortfallRecorded = Event<
  'ShortfallRecorded',
  Said<Readonly<{ shortfallId: string; amount: MicroText; cause: 'overrun' | 'refund' | 'dispute'; ref: string }>>
>;

export type CreditAccountEvent =
  | FundingEvent
  | CreditAccountOpened
  | PromoCreditsGranted
  | PromoCreditsExpired
  | FundsReserved
  | ReservationExtended
  | ReservationCaptured
  | ReservationReleased
  | ReservationLeaseExpired
  | ShortfallRecorded;

/** Streams are `creditAccount-<userId>`. */
export const CREDIT_ACCOUNT = 'creditAccount';

import type { Event, IsoTime } from '../../kernel/message.ts';
import type { MicroText } from '../../kernel/money.ts';
import type { Sealed } from '../../kernel/vault.ts';
import type { Allocation, Said, Totals } from './said.ts';

export type PurchaseSource = 'checkout' | 'auto_top_off';
export type ClawbackCause = 'refund' | 'dispute';
export type BlockReason = 'dispute' | 'admin' | 'fraud';
export type CreditBucket = 'paid' | 'promo';
export type AdjustmentReason = 'adjustment' | 'correction' | 'goodwill' | 'migration';

/** A lot of paid credit. `*Minor` are cents: credit = gross - fee; tax comes on top of gross and is never credit. */
export type CreditsPurchased = Event<
  'CreditsPurchased',
  Said<
    Readonly<{
      purchaseId: string;
      lotId: string;
      credit: MicroText;
      grossMinor: number;
      feeMinor: number;
      taxMinor: number;
      currency: 'usd';
      source: PurchaseSource;
      chargeRef: string | null;
    }>
  >
>;

/** Credit was taken back; what is missing (`shortfall`) is owed, as the next event records. */
export type CreditsClawedBack = Event<
  'CreditsClawedBack',
  Said<
    Readonly<{
      clawbackId: string;
      purchaseId: string;
      cause: ClawbackCause;
      requested: MicroText;
      taken: readonly Allocation[];
      shortfall: MicroText;
    }>
  >
>;

/** What the user lost by a clawback is back, in the lot of its purchase. */
export type ClawbackReversed = Event<
  'ClawbackReversed',
  Said<
    Readonly<{
      clawbackId: string;
      purchaseId: string;
      cause: ClawbackCause;
      amount: MicroText;
      lotId: string;
      /** What of the clawback was our loss: beyond what the purchase still had, or written off. Absent: nothing. */
      ours?: MicroText;
    }>
  >
>;

export type ShortfallSettled = Event<
  'ShortfallSettled',
  Said<Readonly<{ shortfallId: string; amount: MicroText; alloc: readonly Allocation[] }>>
>;

/** `wishId` is the name of the wish that this fulfils; absent in events of before there were names. */
export type ShortfallWrittenOff = Event<
  'ShortfallWrittenOff',
  Said<Readonly<{ shortfallId: string; amount: MicroText; reasonCode: string; wishId?: string }>>
>;

type Adjustment = Readonly<{
  adjustmentId: string;
  /** Signed. */
  amount: MicroText;
  bucket: CreditBucket;
  reasonCode: AdjustmentReason;
  note: Sealed;
  noteDigest: string;
  requestedBy: string;
  /** Of promo credit that is given. */
  expiresAt?: IsoTime;
}>;

/** An adjustment that needs a second administrator. */
export type AdjustmentRequested = Event<'AdjustmentRequested', Said<Adjustment>>;

export type AdjustmentRejected = Event<
  'AdjustmentRejected',
  Said<Readonly<{ adjustmentId: string; rejectedBy: string }>>
>;

/** A balance changed by hand. Given credit is the lot `lotId`; `taken` says what was taken from which lots. */
export type CreditsAdjusted = Event<
  'CreditsAdjusted',
  Said<Adjustment & Readonly<{ lotId: string | null; taken: readonly Allocation[]; approvedBy?: string }>>
>;

export type SpendingBlocked = Event<'SpendingBlocked', Said<Readonly<{ reason: BlockReason; ref: string }>>>;

export type SpendingUnblocked = Event<'SpendingUnblocked', Said<Readonly<{ reason: BlockReason; ref: string }>>>;

/** Limits for each day and month (UTC). A hard one refuses work, a soft one is told of. Null: none. */
export type SpendingLimits = Readonly<{
  daySoft: MicroText | null;
  dayHard: MicroText | null;
  monthSoft: MicroText | null;
  monthHard: MicroText | null;
  /** Below which balance a notice is given; null: at the usual one. */
  lowBalance: MicroText | null;
}>;

export type SpendingLimitsSet = Event<
  'SpendingLimitsSet',
  Said<Readonly<{ setBy: 'user' | 'admin'; limits: SpendingLimits; wishId?: string }>>
>;

/** A limit is reached: told once for each limit and period. `scope` is `user` or an API key's. */
export type SpendingLimitReached = Event<
  'SpendingLimitReached',
  Said<
    Readonly<{
      scope: string;
      level: 'soft' | 'hard';
      period: 'day' | 'month' | 'total';
      /** The day or month; empty for `total`. */
      periodKey: string;
      limit: MicroText;
      spent: MicroText;
    }>
  >
>;

/** The balance (on hold or free) fell below the threshold; told again only after it has been above it. */
export type LowBalanceNoticed = Event<
  'LowBalanceNoticed',
  Said<Readonly<{ balance: MicroText; threshold: MicroText }>>
>;

/** Far more was spent on this day than on the days before; told once a day. */
export type SpendingAnomalyNoticed = Event<
  'SpendingAnomalyNoticed',
  Said<Readonly<{ day: string; spent: MicroText; usual: MicroText }>>
>;

/** What a lot holds at a closing, free and on hold. */
export type LotAtClosing = Readonly<{
  lotId: string;
  kind: CreditBucket;
  remaining: MicroText;
  held: MicroText;
}>;

/** The last word on a month: said before the first event of a later month, or by the job that closes books. */
export type BooksClosed = Event<
  'BooksClosed',
  Said<
    Readonly<{
      period: string;
      opening: Totals;
      closing: Totals;
      perLot: readonly LotAtClosing[];
      /** Events that are booked in the period, this one not counted. */
      eventCount: number;
      /** SHA-256 in hex over what lots, holds and debts are at the end. */
      foldHash: string;
    }>
  >
>;

export type CreditAccountClosed = Event<
  'CreditAccountClosed',
  Said<
    Readonly<{
      reason: 'erasure' | 'admin';
      forfeitedPromo: readonly Allocation[];
      /** Paid credit that is given up. */
      waivedPaid: readonly Allocation[];
      /** Paid credit that is still there and due to be refunded. */
      remainingPaid: MicroText;
      disposition: 'refund_due' | 'zero';
    }>
  >
>;

export type FundingEvent =
  | CreditsPurchased
  | CreditsClawedBack
  | ClawbackReversed
  | ShortfallSettled
  | ShortfallWrittenOff
  | AdjustmentRequested
  | AdjustmentRejected
  | CreditsAdjusted
  | SpendingBlocked
  | SpendingUnblocked
  | SpendingLimitsSet
  | SpendingLimitReached
  | LowBalanceNoticed
  | SpendingAnomalyNoticed
  | BooksClosed
  | CreditAccountClosed;

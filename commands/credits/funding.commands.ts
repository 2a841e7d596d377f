import type {
  AdjustmentReason,
  BlockReason,
  ClawbackCause,
  CreditBucket,
  PurchaseSource,
  SpendingLimits,
} from '../../src/events/credit-account/credit-account.events.ts';
import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import type { Sealed } from '../../src/kernel/vault.ts';

/**
 * Makes a lot of a payment that has arrived; what is owed is settled from it in the same append. A purchase makes one lot
 * for ever: sent again, it says nothing. Refused with already_exists when the purchase is known with other amounts, and
 * with billing_conflict when the account is closed. `grossMinor`, `feeMinor` and `taxMinor` are cents; the credit is
 * gross less fee, tax never becomes credit. Key `purchase:<purchaseId>`.
 */
export type PurchaseCredits = Command<
  'PurchaseCredits',
  Readonly<{
    purchaseId: string;
    grossMinor: number;
    feeMinor: number;
    /** On top of gross. */
    taxMinor: number;
    source: PurchaseSource;
    /** The payment provider's name of the charge, for the user's ledger. */
    chargeRef: string | null;
    at: IsoTime;
  }>
>;

/**
 * Takes credit of a purchase back, because its money went back or is disputed: from the purchase's own lot, then from
 * other paid lots, never from promo; the rest is owed. Never takes more than the purchase gave. A clawback happens once:
 * sent again, it says nothing. Accepted by closed accounts too. Refused with not_found when the purchase is not known.
 * `clawbackId` is the id of the refund or of the dispute. Key `refund:<id>` or `dispute:<id>`.
 */
export type ClawBackCredits = Command<
  'ClawBackCredits',
  Readonly<{ clawbackId: string; purchaseId: string; cause: ClawbackCause; amount: MicroUsd; at: IsoTime }>
>;

/**
 * Gives back what a clawback took (a dispute was won, a refund has failed), but for what was written off of it; what is
 * owed is settled from it in the same append. Sent again, it says nothing. Refused with not_found when the clawback is not known. Key `reverse:<clawbackId>`.
 */
export type ReverseClawback = Command<'ReverseClawback', Readonly<{ clawbackId: string; at: IsoTime }>>;

/**
 * Lets nothing be put on hold until the block is lifted. `ref` (a dispute's id, a case's name) names the block: a block
 * of the same reason and ref happens once, and one that was lifted does not come back: a dispute's says nothing then, any
 * other is refused with already_exists. Key `block:<reason>:<ref>`.
 */
export type BlockSpending = Command<'BlockSpending', Readonly<{ reason: BlockReason; ref: string; at: IsoTime }>>;

/** Lifts one block; says nothing when it is not there. Key `unblock:<reason>:<ref>`. */
export type UnblockSpending = Command<'UnblockSpending', Readonly<{ reason: BlockReason; ref: string; at: IsoTime }>>;

/**
 * Gives free credit by hand or for a campaign, once for each `grantId`; with another amount the same id is refused with
 * already_exists. Refused with invalid_argument when this and what was given or taken without a second administrator
 * within a day come to more than `fourEyesAbove`: an adjustment of promo credit can be approved. Key `grant:<grantId>`.
 */
export type GrantPromo = Command<
  'GrantPromo',
  Readonly<{
    grantId: string;
    amount: MicroUsd;
    expiresAt: IsoTime;
    reason: 'support' | 'campaign';
    fourEyesAbove: MicroUsd;
    at: IsoTime;
  }>
>;

/**
 * An administrator changes a balance; positive gives, negative takes, never below zero (invalid_argument). When this and
 * what was adjusted without a second administrator within a day come to more than `fourEyesAbove`, it is only asked for:
 * another administrator approves it (ApproveAdjustment). The same id again says nothing, with another content it is
 * refused with already_exists. Key `adjust:<adjustmentId>`.
 */
export type AdjustCredits = Command<
  'AdjustCredits',
  Readonly<{
    adjustmentId: string;
    amount: MicroUsd;
    bucket: CreditBucket;
    /** Of promo credit that is given. */
    expiresAt?: IsoTime;
    reasonCode: AdjustmentReason;
    note: Sealed;
    /** A keyed hash of the note, so that the same id with another note is noticed. */
    noteDigest: string;
    by: string;
    fourEyesAbove: MicroUsd;
    at: IsoTime;
  }>
>;

/**
 * The second administrator says yes. Refused with forbidden to the one who asked, with not_found when there is no such wish,
 * with billing_conflict when it was rejected, and with invalid_argument when the balance no longer allows it. Key `approve:<adjustmentId>`.
 */
export type ApproveAdjustment = Command<
  'ApproveAdjustment',
  Readonly<{ adjustmentId: string; by: string; at: IsoTime }>
>;

/** Somebody says no, or the one who asked takes it back; billing_conflict when it was made. Key `reject:<adjustmentId>`. */
export type RejectAdjustment = Command<'RejectAdjustment', Readonly<{ adjustmentId: string; by: string; at: IsoTime }>>;

/**
 * Gives up what is owed, all of it; it becomes our loss. Accepted by closed accounts. Refused with billing_conflict when
 * nothing is owed. The same wish again says nothing, whatever is owed by then, and with another content it is refused with
 * already_exists. Key `writeOff:<wishId>`.
 */
export type WriteOffShortfall = Command<
  'WriteOffShortfall',
  Readonly<{ wishId?: string; reasonCode: string; at: IsoTime }>
>;

/**
 * Sets what a user may spend; `setBy` tells whose limits these are. All of them count. The same wish again says nothing,
 * also when other limits were set since, and with another content it is refused with already_exists. Key `limits:<wishId>`.
 */
export type SetSpendingLimits = Command<
  'SetSpendingLimits',
  Readonly<{ wishId?: string; setBy: 'user' | 'admin'; limits: SpendingLimits; at: IsoTime }>
>;

/** Closes the books of every month that has ended and has events. Key `books:<month of at>`. */
export type CloseBooks = Command<'CloseBooks', Readonly<{ at: IsoTime }>>;

/**
 * Ends the account: promo credit is forfeited, nothing can be spent or bought any more. Paid credit stays in its lots
 * until it is refunded (`refund_paid`), or is given up (`waive_paid`). Refused with billing_conflict while something is on
 * hold or spending is blocked by a dispute. Sent again, it says nothing. Key `close:<userId>`.
 */
export type CloseAccount = Command<
  'CloseAccount',
  Readonly<{ reason: 'erasure' | 'admin'; paid: 'refund_paid' | 'waive_paid'; at: IsoTime }>
>;

/** Commands that change what there is to spend, or what may be spent. */
export type FundingCommand =
  | PurchaseCredits
  | ClawBackCredits
  | ReverseClawback
  | BlockSpending
  | UnblockSpending
  | GrantPromo
  | AdjustCredits
  | ApproveAdjustment
  | RejectAdjustment
  | WriteOffShortfall
  | SetSpendingLimits
  | CloseBooks
  | CloseAccount;

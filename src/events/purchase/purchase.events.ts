import type { Event, IsoTime } from '../../kernel/message.ts';
import type { MicroText } from '../../kernel/money.ts';
import type { Sealed } from '../../kernel/vault.ts';

export type PurchaseKind = 'checkout' | 'auto_top_off';

/** What every event of a purchase says beside its own matter. `*Minor` are cents. */
type Said<D> = D & Readonly<{ purchaseId: string; userId: string; at: IsoTime }>;

/** Gross, fee and credit are fixed here, before anybody pays: credit = gross - fee. Tax comes on top and is never credit. */
export type PurchaseInitiated = Event<
  'PurchaseInitiated',
  Said<
    Readonly<{
      kind: PurchaseKind;
      grossMinor: number;
      feeMinor: number;
      creditMinor: number;
      currency: 'usd';
      tierLabel: string;
      feeRateBps: number;
      /** Of the fee tiers by which it was priced. Absent: the build's, before they could be changed. */
      policyVersion?: string;
      /** The trigger of a top-off. */
      triggerId: string | null;
    }>
  >
>;

/** A consumer wants the credit at once and knows that the right to withdraw ends with its use. */
export type WithdrawalConsentRecorded = Event<
  'WithdrawalConsentRecorded',
  Said<Readonly<{ immediateStart: boolean; acknowledgesLoss: boolean; textVersion: string }>>
>;

export type CheckoutSessionOpened = Event<
  'CheckoutSessionOpened',
  Said<Readonly<{ sessionId: string; expiresAt: IsoTime }>>
>;

type InvoiceStatus = 'draft' | 'open' | 'paid' | 'void' | 'uncollectible';

/** The invoice as it is now: said when it is first seen and when it changes. Its address opens it for anybody. */
export type InvoiceIssued = Event<
  'InvoiceIssued',
  Said<
    Readonly<{
      invoiceId: string;
      status: InvoiceStatus;
      created: IsoTime;
      dueDate: IsoTime | null;
      amountPaidMinor: number;
      currency: string;
      pdfUrl: Sealed | null;
    }>
  >
>;

/** The buyer has done all there is to do; the money is on its way. */
export type PaymentPending = Event<
  'PaymentPending',
  Said<
    Readonly<{
      paymentIntentId: string;
      methodType: string | null;
      /** Of the attempt that is on its way. Absent: not told then. */
      chargeId?: string | null;
    }>
  >
>;

export type PaymentSucceeded = Event<
  'PaymentSucceeded',
  Said<
    Readonly<{
      paymentIntentId: string;
      chargeId: string | null;
      invoiceId: string | null;
      /** With tax. */
      amountMinor: number;
      taxMinor: number;
      currency: 'usd';
      taxCountry: string | null;
    }>
  >
>;

export type PaymentFailed = Event<
  'PaymentFailed',
  Said<
    Readonly<{
      paymentIntentId: string | null;
      code: string;
      declineCode: string | null;
      needsAction: boolean;
      /** Of the attempt that failed. Absent: not told then. */
      chargeId?: string | null;
    }>
  >
>;

/** The account has the credit. */
export type PurchaseFulfilled = Event<'PurchaseFulfilled', Said<Readonly<{ credit: MicroText }>>>;

export type PurchaseClosedUnpaid = Event<
  'PurchaseClosedUnpaid',
  Said<Readonly<{ reason: 'expired' | 'canceled' | 'voided' }>>
>;

/** What was paid is not what was to be paid: no credit, somebody has to look. */
export type PurchaseMismatchDetected = Event<
  'PurchaseMismatchDetected',
  Said<
    Readonly<{
      /** `account`: it is closed, so that nothing can be credited any more. */
      what: 'currency' | 'amount' | 'refund' | 'account';
      expectedMinor: number;
      seenMinor: number;
      seenCurrency: string;
    }>
  >
>;

/**
 * Money goes back: of it tax, credit and fee in the proportions of what was paid, to the cent. Of a purchase that was
 * never credited nothing is apportioned (`credited` false).
 */
export type RefundRecorded = Event<
  'RefundRecorded',
  Said<
    Readonly<{
      refundId: string;
      amountMinor: number;
      taxMinor: number;
      creditPart: MicroText;
      feePartMinor: number;
      credited: boolean;
    }>
  >
>;

/** The refund did not reach the buyer: the money is here again, apportioned as it went. */
export type RefundFailed = Event<
  'RefundFailed',
  Said<
    Readonly<{
      refundId: string;
      amountMinor: number;
      taxMinor: number;
      creditPart: MicroText;
      feePartMinor: number;
      /** As in `RefundRecorded`. */
      credited?: boolean;
    }>
  >
>;

/** The buyer's bank took the money back for now. `creditPart` is the credit that stands for it. */
export type DisputeOpened = Event<
  'DisputeOpened',
  Said<Readonly<{ disputeId: string; amountMinor: number; reason: string; creditPart: MicroText }>>
>;

export type DisputeWon = Event<'DisputeWon', Said<Readonly<{ disputeId: string; amountMinor: number }>>>;

export type DisputeLost = Event<
  'DisputeLost',
  Said<
    Readonly<{
      disputeId: string;
      amountMinor: number;
      creditPart: MicroText;
      lossFeeMinor: number;
      /** False: the payment had never become credit, so that nothing but the fee is lost. */
      credited?: boolean;
    }>
  >
>;

/** What the payment provider kept for itself. */
export type ProcessorFeeLearned = Event<
  'ProcessorFeeLearned',
  Said<Readonly<{ balanceTxnId: string; feeMinor: number; netMinor: number; availableOn: IsoTime }>>
>;

export type PurchaseEvent =
  | PurchaseInitiated
  | WithdrawalConsentRecorded
  | CheckoutSessionOpened
  | InvoiceIssued
  | PaymentPending
  | PaymentSucceeded
  | PaymentFailed
  | PurchaseFulfilled
  | PurchaseClosedUnpaid
  | PurchaseMismatchDetected
  | RefundRecorded
  | RefundFailed
  | DisputeOpened
  | DisputeWon
  | DisputeLost
  | ProcessorFeeLearned;

/** Streams are `purchase-<purchaseId>`. */
export const PURCHASE = 'purchase';

import type { PurchaseKind } from '../../src/events/purchase/purchase.events.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';

/** A refund as it was recorded. `credit` is the credit that stands for it; cents else. */
export type Refunded = Readonly<{
  refundId: string;
  amountMinor: number;
  taxMinor: number;
  credit: MicroUsd;
  feeMinor: number;
  /** False: of a payment that never became credit. */
  credited: boolean;
  failed: boolean;
}>;

export type Disputed = Readonly<{
  disputeId: string;
  amountMinor: number;
  credit: MicroUsd;
  status: 'open' | 'won' | 'lost';
}>;

/** A purchase that was begun. Amounts in cents. */
export type BegunPurchase = Readonly<{
  purchaseId: string;
  userId: string;
  kind: PurchaseKind;
  begunAt: IsoTime;
  grossMinor: number;
  feeMinor: number;
  creditMinor: number;
  triggerId: string | null;
  /** `mismatch`: paid, but not what was to be paid; never credited. */
  status: 'open' | 'pending' | 'failed' | 'paid' | 'fulfilled' | 'closed' | 'mismatch';
  sessionId: string | null;
  invoice: Readonly<{ invoiceId: string; status: string; amountPaidMinor: number }> | null;
  paymentIntentId: string | null;
  chargeId: string | null;
  /** With tax, once it is paid. */
  paidMinor: number;
  taxMinor: number;
  /** The last failure's code. */
  failure: string | null;
  /** What was told of attempts to pay, so that nothing is said twice and no old look undoes what a newer one told. */
  attempts: readonly string[];
  needsAction: boolean;
  refunds: readonly Refunded[];
  disputes: readonly Disputed[];
  feeLearned: boolean;
  /** Mismatches that were told. */
  told: readonly string[];
}>;

export type Purchase = Readonly<{ status: 'none' }> | BegunPurchase;

import type { PurchaseKind } from '../../src/events/purchase/purchase.events.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';

/** A refund as it was recorded. `credit` is the credit that stands for it; cents else. */
export type Refunded = Readonly<{
  refundId: string;
  amountMinor: number;
  taxMinor: number;
  credit: MicroUsd;
  feeMinor: number;
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
  /** The last failure, so that it is not said twice. */
  failure: string | null;
  needsAction: boolean;
  refunds: readonly Refunded[];
  disputes: readonly Disputed[];
  feeLearned: boolean;
  /** Mismatches that were told. */
  told: readonly string[];
}>;

export type Purchase = Readonly<{ status: 'none' }> | BegunPurchase;

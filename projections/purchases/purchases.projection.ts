import { ERASURE, type SubjectKeyDestroyed } from '../../src/events/erasure/erasure.events.ts';
import { PURCHASE, type PurchaseEvent } from '../../src/events/purchase/purchase.events.ts';
import { purchaseUpcasters } from '../../src/events/purchase/purchase.upcasters.ts';
import { defineProjection, type RowOp } from '../../src/kernel/projection.ts';
import type { Row } from '../../src/kernel/table.ts';
import { invoiceTable, purchaseTable } from './purchases.table.ts';

type Data = PurchaseEvent['data'];

const now = ({ purchaseId, at }: Data, set: Row): RowOp => ({
  op: 'set',
  table: purchaseTable,
  key: { purchase_id: purchaseId },
  set: { ...set, updated_at: at },
});

const refunded = ({ purchaseId, at }: Data, cents: number): RowOp => ({
  op: 'add',
  table: purchaseTable,
  key: { purchase_id: purchaseId },
  add: { refunded_minor: BigInt(cents) },
  set: { updated_at: at },
});

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Purchases and their invoices. */
export const purchasesProjection = defineProjection<PurchaseEvent | SubjectKeyDestroyed>({
  name: 'purchases',
  version: 3,
  tables: [purchaseTable, invoiceTable],
  streamPrefixes: [`${PURCHASE}-`, `${ERASURE}-`],
  upcasters: purchaseUpcasters,
  on: {
    PurchaseInitiated: ({ data }) => [
      now(data, {
        user_id: data.userId,
        kind: data.kind,
        state: 'open',
        gross_minor: BigInt(data.grossMinor),
        fee_minor: BigInt(data.feeMinor),
        credit_minor: BigInt(data.creditMinor),
        initiated_at: data.at,
      }),
    ],
    CheckoutSessionOpened: ({ data }) => [now(data, { session_id: data.sessionId })],
    InvoiceIssued: ({ data, opened }) => [
      now(data, { invoice_id: data.invoiceId }),
      {
        op: 'set',
        table: invoiceTable,
        key: { invoice_id: data.invoiceId },
        set: {
          user_id: data.userId,
          purchase_id: data.purchaseId,
          status: data.status,
          created_at: data.created,
          due_at: data.dueDate,
          amount_paid_minor: BigInt(data.amountPaidMinor),
          currency: data.currency,
          pdf_url: textOrNull(opened['pdfUrl']),
        },
      },
    ],
    PaymentPending: ({ data }) => [now(data, { state: 'pending', payment_intent_id: data.paymentIntentId })],
    PaymentFailed: ({ data }) => [now(data, { state: 'failed', payment_intent_id: data.paymentIntentId })],
    PaymentSucceeded: ({ data }) => [
      now(data, {
        state: 'paid',
        payment_intent_id: data.paymentIntentId,
        charge_id: data.chargeId,
        tax_minor: BigInt(data.taxMinor),
      }),
    ],
    PurchaseFulfilled: ({ data }) => [now(data, { state: 'fulfilled' })],
    PurchaseClosedUnpaid: ({ data }) => [now(data, { state: 'closed' })],
    PurchaseMismatchDetected: ({ data }) => (data.what === 'refund' ? [] : [now(data, { state: 'mismatch' })]),
    SubjectKeyDestroyed: ({ data }) => [
      { op: 'forget', table: invoiceTable, of: { user_id: data.userId }, set: { pdf_url: null } },
    ],
    RefundRecorded: ({ data }) => [refunded(data, data.amountMinor)],
    RefundFailed: ({ data }) => [refunded(data, -data.amountMinor)],
  },
});

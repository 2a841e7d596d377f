import { defineTable } from '../../src/kernel/table.ts';

/** Every purchase. Amounts in cents. */
export const purchaseTable = defineTable({
  name: 'purchase',
  columns: {
    purchase_id: { type: 'uuid' },
    user_id: { type: 'uuid' },
    kind: { type: 'text' },
    /** `open`, `pending`, `failed`, `paid`, `fulfilled`, `closed`, `mismatch`. */
    state: { type: 'text' },
    gross_minor: { type: 'bigint' },
    fee_minor: { type: 'bigint' },
    credit_minor: { type: 'bigint' },
    tax_minor: { type: 'bigint', default: '0' },
    refunded_minor: { type: 'bigint', default: '0' },
    session_id: { type: 'text', nullable: true },
    invoice_id: { type: 'text', nullable: true },
    payment_intent_id: { type: 'text', nullable: true },
    charge_id: { type: 'text', nullable: true },
    initiated_at: { type: 'timestamptz' },
    updated_at: { type: 'timestamptz' },
  },
  key: ['purchase_id'],
  owner: 'user_id',
  indexes: [['session_id'], ['state', 'initiated_at'], ['user_id', 'initiated_at desc']],
});

/** Invoices of purchases, as they are now. */
export const invoiceTable = defineTable({
  name: 'invoice',
  columns: {
    invoice_id: { type: 'text' },
    user_id: { type: 'uuid' },
    purchase_id: { type: 'uuid' },
    status: { type: 'text' },
    created_at: { type: 'timestamptz' },
    due_at: { type: 'timestamptz', nullable: true },
    amount_paid_minor: { type: 'bigint' },
    currency: { type: 'text' },
    pdf_url: { type: 'text', nullable: true },
  },
  key: ['invoice_id'],
  owner: 'user_id',
  indexes: [['user_id', 'created_at desc', 'invoice_id desc']],
});

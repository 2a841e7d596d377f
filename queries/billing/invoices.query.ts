import { invoiceTable } from '../../projections/purchases/purchases.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type InvoiceRow = Readonly<{
  invoice_id: string;
  status: string;
  created_at: string;
  due_at: string | null;
  amount_paid_minor: bigint;
  currency: string;
  pdf_url: string | null;
}>;

export type InvoiceView = Readonly<{
  id: string;
  status: string;
  createdAt: string;
  dueAt: string | null;
  amountPaidMinor: bigint;
  currency: string;
  pdfUrl: string | null;
}>;

/** One page of invoices, newest first. */
export type InvoicePage = Readonly<{ invoices: readonly InvoiceView[]; hasMore: boolean }>;

const view = (row: InvoiceRow): InvoiceView => ({
  id: row.invoice_id,
  status: row.status,
  createdAt: row.created_at,
  dueAt: row.due_at,
  amountPaidMinor: row.amount_paid_minor,
  currency: row.currency,
  pdfUrl: row.pdf_url,
});

/** Which invoices does this user have, after `startingAfter`? Drafts are none yet. */
export const invoices = (
  userId: string,
  { limit, startingAfter }: Readonly<{ limit: number; startingAfter: string | undefined }>,
): Query<InvoiceRow, InvoicePage> => ({
  statement: sql`
    select invoice.* from ${invoiceTable} invoice
    where invoice.user_id = ${userId} and invoice.status <> 'draft' and (
      ${startingAfter ?? null}::text is null or (invoice.created_at, invoice.invoice_id) < (
        select created_at, invoice_id from ${invoiceTable} where invoice_id = ${startingAfter ?? null} and user_id = ${userId}
      )
    )
    order by invoice.created_at desc, invoice.invoice_id desc limit ${limit + 1}`,
  present: (rows) => ({ invoices: rows.slice(0, limit).map(view), hasMore: rows.length > limit }),
});

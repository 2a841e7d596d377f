import { badRequest, listOf, type ApiCall, type ApiCalls } from './api-shape.ts';
import { numberAt, textAt, textsAt } from './form.ts';
import type { Invoice, PaymentMethod } from './objects.ts';
import { newIntent, payIntent, taxOn } from './paying.ts';
import { StripeRefusal, type World } from './world.ts';

const inState = (world: World, id: string, status: Invoice['status']): Invoice => {
  const invoice = world.must('invoice', id);
  if (invoice.status === status) return invoice;
  throw badRequest(`This invoice is ${invoice.status}, not ${status}.`, 'invoice_not_editable');
};

/** The invoice with the payments that were tried for it. */
const shownInvoice = (world: World, invoice: Invoice) => ({
  ...invoice,
  payments: listOf(world, `/v1/invoice_payments`, world.where('invoice_payment', 'invoice', invoice.id), {}),
});

const newInvoice: ApiCall = (world, form) => {
  const started = world.base('invoice');
  const invoice: Invoice = {
    ...started,
    customer: world.living(textAt(form, 'customer') ?? '').id,
    status: 'draft',
    currency: textAt(form, 'currency') ?? 'usd',
    total: 0,
    total_excluding_tax: 0,
    amount_due: 0,
    amount_paid: 0,
    due_date: null,
    invoice_pdf: `${world.url()}/invoice/${started.id}`,
    metadata: textsAt(form, 'metadata'),
  };
  world.put(invoice);
  world.happened('invoice.created', invoice);
  return invoice;
};

const newItem: ApiCall = (world, form) => {
  const invoice = inState(world, textAt(form, 'invoice') ?? '', 'draft');
  const amount = numberAt(form, 0, 'amount');
  world.put({ ...invoice, total: invoice.total + amount, total_excluding_tax: invoice.total_excluding_tax + amount });
  return { id: `ii_${world.newId('invoice').slice(3)}`, object: 'invoiceitem', amount, invoice: invoice.id };
};

const finalise: ApiCall = (world, _form, id = '') => {
  const draft = inState(world, id, 'draft');
  const total = draft.total + taxOn(world, world.must('customer', draft.customer), draft.total);
  const invoice: Invoice = { ...draft, status: 'open', total, amount_due: total };
  world.put(invoice);
  const intent = newIntent(world, total, invoice.customer, {});
  const payment = { type: 'payment_intent' as const, payment_intent: intent.id };
  world.put({ ...world.base('invoice_payment'), invoice: id, status: 'open', payment });
  world.happened('invoice.finalized', invoice);
  return shownInvoice(world, invoice);
};

const methodOf = (world: World, { customer }: Invoice): PaymentMethod => {
  const id = world.must('customer', customer).invoice_settings.default_payment_method;
  if (id === null) throw badRequest('The customer has no default payment method.', 'invoice_payment_method_missing');
  return world.must('payment_method', id);
};

const pay: ApiCall = (world, _form, id = '') => {
  const invoice = inState(world, id, 'open');
  const [payment] = world.where('invoice_payment', 'invoice', id);
  const intent = world.must('payment_intent', payment?.payment.payment_intent ?? '');
  const after = payIntent(world, intent, methodOf(world, invoice), false);
  if (after.last_payment_error !== null) {
    world.happened('invoice.payment_failed', invoice);
    const { code, decline_code: decline, message, type } = after.last_payment_error;
    throw new StripeRefusal(402, { type, code, decline_code: decline, message });
  }
  if (after.status !== 'succeeded' || payment === undefined) return shownInvoice(world, invoice);
  const paid: Invoice = { ...invoice, status: 'paid', amount_paid: invoice.total, amount_due: 0 };
  world.put(paid);
  world.put({ ...payment, status: 'paid' });
  world.happened('invoice.paid', paid);
  return shownInvoice(world, paid);
};

const voidInvoice: ApiCall = (world, _form, id = '') => {
  const invoice: Invoice = { ...inState(world, id, 'open'), status: 'void', amount_due: 0 };
  world.put(invoice);
  for (const { payment } of world.where('invoice_payment', 'invoice', id)) {
    world.put({ ...world.must('payment_intent', payment.payment_intent), status: 'canceled' });
  }
  world.happened('invoice.voided', invoice);
  return shownInvoice(world, invoice);
};

/** Invoices and what they are paid with. */
export const invoiceCalls: ApiCalls = {
  'POST /v1/invoices': newInvoice,
  'POST /v1/invoiceitems': newItem,
  'GET /v1/invoices/:id': (world, _form, id = '') => shownInvoice(world, world.must('invoice', id)),
  'POST /v1/invoices/:id/finalize': finalise,
  'POST /v1/invoices/:id/pay': pay,
  'POST /v1/invoices/:id/void': voidInvoice,
  'GET /v1/invoice_payments': (world, form) => {
    const intent = textAt(form, 'payment', 'payment_intent') ?? '';
    const found = world.where('invoice_payment', 'payment.payment_intent', intent);
    return listOf(world, '/v1/invoice_payments', found, form);
  },
};

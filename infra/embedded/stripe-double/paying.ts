import type { Charge, Customer, Intent, Invoice, PaymentMethod, Session } from './objects.ts';
import type { World } from './world.ts';

const DAY = 86_400;
const FEE_BASIS_POINTS = 290;
const FEE_FIXED = 30;
const DISPUTE_FEE = 1500;

/** Tax in cents on a net amount, by the knob or the customer's country. */
export const taxOn = (world: World, customer: Customer, net: number): number => {
  const knob = world.knobs.read('tax');
  const basisPoints = knob >= 0 ? knob : customer.address?.country === 'DE' ? 1900 : 0;
  return Math.round((net * basisPoints) / 10_000);
};

/** Opens a payment of an amount. */
export const newIntent = (world: World, amount: number, customer: string, metadata: Record<string, string>): Intent => {
  const intent: Intent = {
    ...world.base('payment_intent'),
    amount,
    amount_received: 0,
    currency: world.knobs.read('foreign') === 1 ? 'eur' : 'usd',
    customer,
    status: 'requires_confirmation',
    latest_charge: null,
    last_payment_error: null,
    metadata,
  };
  world.put(intent);
  return intent;
};

/** The payment of a page: one for all that is tried there. */
export const sessionIntent = (world: World, session: Session): Intent => {
  const before = session.payment_intent === null ? undefined : world.get('payment_intent', session.payment_intent);
  if (before === undefined) return newIntent(world, session.amount_total, session.customer, session.intent_metadata);
  return { ...before, amount: session.amount_total };
};

const charged = (world: World, intent: Intent, method: PaymentMethod, status: Charge['status']): Charge => {
  const charge: Charge = {
    ...world.base('charge'),
    amount: intent.amount,
    amount_refunded: 0,
    currency: intent.currency,
    customer: intent.customer,
    status,
    payment_intent: intent.id,
    balance_transaction: null,
    billing_details: { address: world.get('customer', intent.customer)?.address ?? null },
    payment_method_details: { type: method.type },
    metadata: intent.metadata,
  };
  world.put(charge);
  return charge;
};

/** The money is there. */
const received = (world: World, intent: Intent, charge: Charge): Intent => {
  const fee = Math.round((intent.amount * FEE_BASIS_POINTS) / 10_000) + FEE_FIXED;
  const transaction = {
    ...world.base('balance_transaction'),
    amount: intent.amount,
    fee,
    net: intent.amount - fee,
    currency: intent.currency,
    available_on: world.seconds() + 2 * DAY,
  };
  world.put(transaction);
  const paid: Charge = { ...charge, status: 'succeeded', balance_transaction: transaction.id };
  world.put(paid);
  const done: Intent = {
    ...intent,
    status: 'succeeded',
    amount_received: intent.amount,
    latest_charge: charge.id,
    last_payment_error: null,
  };
  world.put(done);
  world.happened('charge.succeeded', paid);
  world.happened('payment_intent.succeeded', done);
  return done;
};

const refused = (world: World, intent: Intent, code: string, declineCode: string | null): Intent => {
  const error = {
    type: 'card_error' as const,
    code,
    decline_code: declineCode,
    message: code === 'card_declined' ? 'Your card was declined.' : 'Your bank wants to hear from you first.',
  };
  const failed: Intent = { ...intent, status: 'requires_payment_method', last_payment_error: error };
  world.put(failed);
  world.happened('payment_intent.payment_failed', failed);
  return failed;
};

/** Pays with a method. Whoever is present answers their bank at once; somebody absent cannot. */
export const payIntent = (world: World, intent: Intent, method: PaymentMethod, present: boolean): Intent => {
  if (method.behaviour === 'declined') {
    const tried = { ...intent, latest_charge: charged(world, intent, method, 'failed').id };
    return refused(world, tried, 'card_declined', 'generic_decline');
  }
  if (method.behaviour === 'needs_action' && !present) return refused(world, intent, 'authentication_required', null);
  if (method.behaviour !== 'slow') return received(world, intent, charged(world, intent, method, 'pending'));
  const charge = charged(world, intent, method, 'pending');
  const waiting: Intent = { ...intent, status: 'processing', latest_charge: charge.id };
  world.put(waiting);
  world.happened('payment_intent.processing', waiting);
  const settle = world.knobs.read('settle');
  if (settle >= 0) world.set(`settles.${intent.id}`, world.seconds() + Math.ceil(settle / 1000));
  return waiting;
};

/** The invoice of a checkout, made when its money is there. */
const invoiceOf = (world: World, session: Session, intent: Intent): Invoice => {
  const started = world.base('invoice');
  const invoice: Invoice = {
    ...started,
    customer: session.customer,
    status: 'paid',
    currency: intent.currency,
    total: session.amount_total,
    total_excluding_tax: session.amount_subtotal,
    amount_due: session.amount_total,
    amount_paid: session.amount_total,
    due_date: null,
    invoice_pdf: `${world.url()}/invoice/${started.id}`,
    metadata: session.invoice_metadata,
  };
  world.put(invoice);
  const payment = { type: 'payment_intent' as const, payment_intent: intent.id };
  world.put({ ...world.base('invoice_payment'), invoice: invoice.id, status: 'paid', payment });
  world.happened('invoice.paid', invoice);
  return invoice;
};

/** The session after its payment: complete when the buyer has done all there is to do. */
export const afterPaying = (world: World, session: Session, intent: Intent): Session => {
  if (intent.status === 'requires_payment_method') {
    world.put({ ...session, payment_intent: intent.id });
    return session;
  }
  const paid = intent.status === 'succeeded';
  const complete: Session = {
    ...session,
    status: 'complete',
    payment_status: paid ? 'paid' : 'unpaid',
    payment_intent: intent.id,
    invoice: paid ? invoiceOf(world, session, intent).id : null,
  };
  world.put(complete);
  world.happened('checkout.session.completed', complete);
  return complete;
};

/** A bank debit comes to its end. */
export const settleIntent = (world: World, intentId: string, succeeded: boolean): Intent => {
  const intent = world.must('payment_intent', intentId);
  if (intent.status !== 'processing') return intent;
  const charge = world.must('charge', intent.latest_charge ?? '');
  if (!succeeded) world.put({ ...charge, status: 'failed' });
  const ended = succeeded
    ? received(world, intent, charge)
    : refused(world, intent, 'payment_method_provider_decline', 'insufficient_funds');
  const [session] = world.where('checkout.session', 'payment_intent', intentId);
  if (session === undefined) return ended;
  const after: Session = succeeded
    ? { ...session, payment_status: 'paid', invoice: invoiceOf(world, session, ended).id }
    : session;
  world.put(after);
  world.happened(`checkout.session.async_payment_${succeeded ? 'succeeded' : 'failed'}`, after);
  return ended;
};

/** Money goes back. */
export const refundIntent = (
  world: World,
  intentId: string,
  amount: number | undefined,
  status: 'pending' | 'succeeded' = 'succeeded',
) => {
  const intent = world.must('payment_intent', intentId);
  const charge = world.must('charge', intent.latest_charge ?? '');
  const refund = {
    ...world.base('refund'),
    amount: Math.min(amount ?? charge.amount, charge.amount - charge.amount_refunded),
    currency: intent.currency,
    payment_intent: intent.id,
    charge: charge.id,
    status,
  };
  world.put(refund);
  const after = { ...charge, amount_refunded: charge.amount_refunded + refund.amount };
  world.put(after);
  world.happened('refund.created', refund);
  world.happened('charge.refunded', after);
  return refund;
};

/** A refund ends otherwise than it began. */
export const endRefund = (world: World, refundId: string, status: 'succeeded' | 'failed') => {
  const refund = { ...world.must('refund', refundId), status };
  world.put(refund);
  if (status === 'failed') {
    const charge = world.must('charge', refund.charge);
    world.put({ ...charge, amount_refunded: charge.amount_refunded - refund.amount });
  }
  world.happened('refund.updated', refund);
  return refund;
};

/** The buyer's bank contests a payment. */
export const disputeIntent = (world: World, intentId: string, reason: string) => {
  const intent = world.must('payment_intent', intentId);
  const dispute = {
    ...world.base('dispute'),
    amount: intent.amount_received,
    currency: intent.currency,
    payment_intent: intent.id,
    charge: intent.latest_charge ?? '',
    reason,
    status: 'needs_response' as const,
    balance_transactions: [{ fee: DISPUTE_FEE }],
  };
  world.put(dispute);
  world.happened('charge.dispute.created', dispute);
  return dispute;
};

/** A dispute comes to its end. */
export const closeDispute = (world: World, disputeId: string, won: boolean) => {
  const dispute = { ...world.must('dispute', disputeId), status: won ? ('won' as const) : ('lost' as const) };
  world.put(dispute);
  world.happened('charge.dispute.closed', dispute);
  return dispute;
};

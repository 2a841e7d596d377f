import type Stripe from 'stripe';
import type {
  DisputeFacts,
  InvoiceFacts,
  PaymentFacts,
  PaymentFailure,
  PaymentStatus,
  ProcessorFee,
  RefundFacts,
} from '../../src/kernel/payments.ts';
import { idOf, instantOf } from './stripe-ids.ts';

/** Everything that Stripe has on one purchase, each object as it is now. */
export type Fetched = Readonly<{
  session: Stripe.Checkout.Session | undefined;
  invoice: Stripe.Invoice | undefined;
  intent: Stripe.PaymentIntent | undefined;
  refunds: readonly Stripe.Refund[];
  disputes: readonly Stripe.Dispute[];
}>;

const NEEDS_ACTION = ['authentication_required', 'invoice_payment_intent_requires_action'];

const chargeOf = (intent: Stripe.PaymentIntent | undefined): Stripe.Charge | undefined =>
  typeof intent?.latest_charge === 'object' && intent.latest_charge !== null ? intent.latest_charge : undefined;

const failureOf = (intent: Stripe.PaymentIntent | undefined): PaymentFailure | null => {
  if (intent?.status === 'requires_action') {
    return { code: 'authentication_required', declineCode: null, needsAction: true };
  }
  const error = intent?.last_payment_error;
  if (error === null || error === undefined) return null;
  const code = error.code ?? error.type;
  return { code, declineCode: error.decline_code ?? null, needsAction: NEEDS_ACTION.includes(code) };
};

/** Paid without a payment, out of what the provider had of the customer's: that is never what was to be paid. */
const isPaidWithout = ({ session, invoice }: Fetched): boolean =>
  invoice?.status === 'paid' || (session?.status === 'complete' && session.payment_status === 'no_payment_required');

const statusOf = (fetched: Fetched): PaymentStatus => {
  const { intent } = fetched;
  if (intent === undefined) return isPaidWithout(fetched) ? 'succeeded' : 'open';
  if (intent.status === 'succeeded') return 'succeeded';
  if (intent.status === 'processing') return 'pending';
  return intent.status === 'canceled' || failureOf(intent) !== null ? 'failed' : 'open';
};

/** Its page is left behind: nobody can try another method there. */
const isLeft = ({ session, intent }: Fetched): boolean =>
  session?.status === 'complete' && intent?.status === 'requires_payment_method';

const closedOf = (fetched: Fetched): PaymentFacts['closed'] => {
  const { session, invoice, intent } = fetched;
  if (session?.status === 'expired') return 'expired';
  if (invoice?.status === 'void' || invoice?.status === 'uncollectible') return 'voided';
  return intent?.status === 'canceled' || isLeft(fetched) ? 'canceled' : null;
};

const feeOf = (charge: Stripe.Charge | undefined): ProcessorFee | null => {
  const transaction = charge?.balance_transaction;
  if (typeof transaction !== 'object' || transaction === null) return null;
  const { id, fee, net, available_on: availableOn } = transaction;
  return { balanceTxnId: id, feeMinor: fee, netMinor: net, availableOn: instantOf(availableOn) };
};

const refundFacts = ({ id, amount, status }: Stripe.Refund): RefundFacts => {
  const failed = status === 'failed' || status === 'canceled';
  return { refundId: id, amountMinor: amount, status: failed ? 'failed' : status === 'succeeded' ? status : 'pending' };
};

/** An inquiry takes no money and is no dispute yet. */
const isInquiry = ({ status }: Stripe.Dispute): boolean => status.startsWith('warning_') || status === 'prevented';

const disputeFacts = (dispute: Stripe.Dispute): DisputeFacts => ({
  disputeId: dispute.id,
  amountMinor: dispute.amount,
  reason: dispute.reason,
  status: dispute.status === 'won' ? 'won' : dispute.status === 'lost' ? 'lost' : 'open',
  feeMinor: dispute.balance_transactions.reduce((sum, { fee }) => sum + fee, 0),
});

const INVOICE_STATES = ['draft', 'open', 'paid', 'void', 'uncollectible'] as const;

const invoiceFacts = (invoice: Stripe.Invoice): InvoiceFacts => ({
  invoiceId: invoice.id,
  status: INVOICE_STATES.find((state) => state === invoice.status) ?? 'draft',
  created: instantOf(invoice.created),
  dueDate: invoice.due_date === null ? null : instantOf(invoice.due_date),
  amountPaidMinor: invoice.amount_paid,
  currency: invoice.currency,
  pdfUrl: invoice.invoice_pdf ?? null,
});

const taxOf = ({ session, invoice }: Fetched): number => {
  if (session?.total_details !== null && session?.total_details !== undefined) return session.total_details.amount_tax;
  if (invoice === undefined) return 0;
  return invoice.total - (invoice.total_excluding_tax ?? invoice.total);
};

const amountOf = ({ session, invoice, intent }: Fetched): number =>
  intent === undefined
    ? invoice?.status === 'paid'
      ? 0
      : (session?.amount_total ?? invoice?.total ?? 0)
    : intent.status === 'succeeded'
      ? intent.amount_received
      : intent.amount;

const currencyOf = ({ session, invoice, intent }: Fetched): string =>
  intent?.currency ?? session?.currency ?? invoice?.currency ?? 'usd';

/** The purchase that Stripe's objects say they belong to. */
export const purchaseIn = (fetched: Pick<Fetched, 'session' | 'invoice' | 'intent'>): string | undefined =>
  fetched.session?.metadata?.['purchaseId'] ??
  fetched.invoice?.metadata?.['purchaseId'] ??
  fetched.intent?.metadata['purchaseId'];

const paidWith = (charge: Stripe.Charge | undefined) => ({
  methodType: charge?.payment_method_details?.type ?? null,
  taxCountry: charge?.billing_details.address?.country ?? null,
  processorFee: feeOf(charge),
});

/** Stripe's objects in our words. */
export const paymentFacts = (purchaseId: string, fetched: Fetched): PaymentFacts => {
  const { session, invoice, intent, refunds, disputes } = fetched;
  const charge = chargeOf(intent);
  return {
    purchaseId,
    status: statusOf(fetched),
    closed: closedOf(fetched),
    sessionId: session?.id ?? null,
    paymentIntentId: intent?.id ?? null,
    chargeId: idOf(intent?.latest_charge),
    currency: currencyOf(fetched),
    amountMinor: amountOf(fetched),
    taxMinor: taxOf(fetched),
    ...paidWith(charge),
    failure: failureOf(intent),
    invoice: invoice === undefined ? null : invoiceFacts(invoice),
    refunds: refunds.map(refundFacts),
    disputes: disputes.filter((dispute) => !isInquiry(dispute)).map(disputeFacts),
  };
};

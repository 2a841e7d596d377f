import type Stripe from 'stripe';
import type { PaymentProvider, PaymentRef } from '../../src/kernel/payments.ts';
import { paymentFacts, purchaseIn, type Fetched } from './payment-facts.ts';
import { isMissing, type StripeCaller } from './stripe-client.ts';
import { idOf, stripeId } from './stripe-ids.ts';

const EVERYTHING = 100;

type Found = Pick<Fetched, 'session' | 'invoice'> & Readonly<{ intentId: string | null }>;

/** The part of the port that only looks: what does Stripe know of a payment now? */
export const fetching = (stripe: Stripe, call: StripeCaller): Pick<PaymentProvider, 'payment' | 'purchaseOf'> => {
  const intentWith = (id: string): Promise<Stripe.PaymentIntent> =>
    stripe.paymentIntents.retrieve(stripeId(id), { expand: ['latest_charge.balance_transaction'] });

  const bySession = async (id: string): Promise<Found> => {
    const session = await stripe.checkout.sessions.retrieve(stripeId(id), { expand: ['invoice'] });
    const invoice = typeof session.invoice === 'object' && session.invoice !== null ? session.invoice : undefined;
    return { session, invoice, intentId: idOf(session.payment_intent) };
  };

  const byInvoice = async (id: string): Promise<Found> => {
    const invoice = await stripe.invoices.retrieve(stripeId(id), { expand: ['payments'] });
    const payments = (invoice.payments?.data ?? []).toSorted((a, b) => a.created - b.created);
    const paid = payments.find(({ status }) => status === 'paid') ?? payments.at(-1);
    return { session: undefined, invoice, intentId: idOf(paid?.payment.payment_intent) };
  };

  const byIntent = async (intentId: string): Promise<Found> => {
    const payment_intent = stripeId(intentId);
    const [session] = (await stripe.checkout.sessions.list({ payment_intent, limit: 1 })).data;
    if (session !== undefined) return bySession(session.id);
    const payment = { type: 'payment_intent', payment_intent } as const;
    const invoiceId = idOf((await stripe.invoicePayments.list({ payment, limit: 1 })).data[0]?.invoice);
    return invoiceId === null ? { session: undefined, invoice: undefined, intentId } : byInvoice(invoiceId);
  };

  const found = async ({ sessionId, invoiceId, paymentIntentId }: PaymentRef): Promise<Found | undefined> => {
    if (sessionId !== undefined) return bySession(sessionId);
    if (invoiceId !== undefined) return byInvoice(invoiceId);
    return paymentIntentId === undefined ? undefined : byIntent(paymentIntentId);
  };

  const fetched = async (ref: PaymentRef): Promise<Fetched | undefined> => {
    const names = await found(ref);
    if (names === undefined) return undefined;
    const { session, invoice, intentId } = names;
    if (intentId === null) return { session, invoice, intent: undefined, refunds: [], disputes: [] };
    const payment_intent = stripeId(intentId);
    const [intent, refunds, disputes] = await Promise.all([
      intentWith(intentId),
      stripe.refunds.list({ payment_intent, limit: EVERYTHING }),
      stripe.disputes.list({ payment_intent, limit: EVERYTHING }),
    ]);
    return { session, invoice, intent, refunds: refunds.data, disputes: disputes.data };
  };

  const orMissing = async <T>(ask: Promise<T>): Promise<T | undefined> => {
    try {
      return await ask;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };

  return {
    payment: async (ref) => {
      const all = await orMissing(call('look at a payment', () => fetched(ref)));
      const purchaseId = all === undefined ? undefined : purchaseIn(all);
      return all === undefined || purchaseId === undefined ? undefined : paymentFacts(purchaseId, all);
    },
    purchaseOf: async (paymentIntentId) => {
      const told = await orMissing(call('look at a payment', () => intentWith(paymentIntentId)));
      const named = told?.metadata['purchaseId'];
      if (told === undefined || named !== undefined) return named;
      const names = await call('look at a payment', () => byIntent(paymentIntentId));
      return purchaseIn({ ...names, intent: undefined });
    },
  };
};

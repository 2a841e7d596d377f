import type Stripe from 'stripe';
import type { CheckoutOrder, HostedPage, PaymentProvider } from '../../src/kernel/payments.ts';
import { customerFacts } from './customer-facts.ts';
import { fetching } from './fetching.ts';
import { isCardRefusal, isMissing, stripeCaller, stripeClient, type StripeOptions } from './stripe-client.ts';
import { idOf, instantOf, stripeId } from './stripe-ids.ts';

/** Where Stripe sends browsers back to. `{CHECKOUT_SESSION_ID}` is filled in by Stripe. */
export type ReturnAddresses = Readonly<{
  paid: string;
  notPaid: string;
  methodAdded: string;
  methodNotAdded: string;
  portal: string;
}>;

/** Software as a service, for the tax. */
const TAX_CODE = 'txcd_10103001';
const LINES = { credit: 'Top-up Credits', fee: 'Processing fee' };
/** Banks take longer than Stripe does, and nobody waits for this. */
const BANKS: Stripe.RequestOptions = { timeout: 20_000 };
const MOST_METHODS = 100;
const SESSION_STATES = ['open', 'complete', 'expired'] as const;

const line = (name: string, unitAmount: number): Stripe.Checkout.SessionCreateParams.LineItem => ({
  quantity: 1,
  price_data: {
    currency: 'usd',
    unit_amount: unitAmount,
    tax_behavior: 'exclusive',
    product_data: { name, tax_code: TAX_CODE },
  },
});

const pageOf = ({ id, url, expires_at: expires }: Stripe.Checkout.Session): HostedPage => ({
  sessionId: id,
  url: url ?? '',
  expiresAt: instantOf(expires),
});

const namesOf = ({ purchaseId, userId }: CheckoutOrder) => ({ purchaseId, userId });

/** Stripe as the payment provider. Every call that makes something has a key that names the thing and the step. */
export const stripePayments = (options: StripeOptions & Readonly<{ returnTo: ReturnAddresses }>): PaymentProvider => {
  const { returnTo, logger } = options;
  const stripe = stripeClient(options);
  const call = stripeCaller(logger);
  const step = (name: string, key: string): Stripe.RequestOptions => ({ idempotencyKey: `${name}:${key}` });

  const issueInvoice = async (order: CheckoutOrder): Promise<string> => {
    const { purchaseId, customerId: customer, creditMinor, feeMinor } = order;
    const { id: invoice } = await call('make an invoice', () =>
      stripe.invoices.create(
        {
          customer,
          currency: 'usd',
          collection_method: 'charge_automatically',
          // Nobody but us collects it: what was refused once is not tried again behind our back.
          auto_advance: false,
          pending_invoice_items_behavior: 'exclude',
          automatic_tax: { enabled: true },
          metadata: { ...namesOf(order), type: 'auto_topoff' },
        },
        step(purchaseId, 'invoice'),
      ),
    );
    const items = [
      { name: 'Automatic credit top-off', amount: creditMinor },
      { name: LINES.fee, amount: feeMinor },
    ];
    for (const [index, { name, amount }] of items.filter((item) => item.amount > 0).entries()) {
      await call('fill an invoice', () =>
        stripe.invoiceItems.create(
          {
            customer,
            invoice,
            amount,
            currency: 'usd',
            description: name,
            tax_behavior: 'exclusive',
            tax_code: TAX_CODE,
          },
          step(purchaseId, `item${index + 1}`),
        ),
      );
    }
    await call('finalise an invoice', () =>
      stripe.invoices.finalizeInvoice(invoice, { auto_advance: false }, step(purchaseId, 'finalize')),
    );
    return invoice;
  };

  return {
    ...fetching(stripe, call),
    createCustomer: async (userId, attempt) =>
      // Nothing that may differ when this is repeated, or Stripe would refuse the key.
      (
        await call('make a customer', () =>
          stripe.customers.create({ metadata: { userId } }, step('customer', `${userId}:${attempt}`)),
        )
      ).id,
    findCustomer: async (userId) => {
      const { data } = await call('find a customer', () =>
        stripe.customers.search({ query: `metadata['userId']:'${userId}'`, limit: 2 }),
      );
      if (data.length > 1) logger.error({ userId, count: data.length }, 'a user has several customers at Stripe');
      return data[0]?.id;
    },
    nameCustomer: async (customerId, who) => {
      await call('name a customer', () => stripe.customers.update(stripeId(customerId), who));
    },
    customer: async (customerId) => {
      const id = stripeId(customerId);
      try {
        return await call('look at a customer', async () => {
          const customer = await stripe.customers.retrieve(id, { expand: ['tax_ids'] });
          if (customer.deleted === true) return customerFacts(customer, []);
          return customerFacts(customer, (await stripe.customers.listPaymentMethods(id, { limit: MOST_METHODS })).data);
        });
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    setDefaultMethod: async (customerId, method) => {
      const invoiceSettings = { default_payment_method: stripeId(method) };
      await call('set the default payment method', () =>
        stripe.customers.update(stripeId(customerId), { invoice_settings: invoiceSettings }),
      );
    },
    deleteCustomer: async (customerId) => {
      try {
        await call('delete a customer', () => stripe.customers.del(stripeId(customerId)));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
    openCheckout: async (order) => {
      const { purchaseId, userId, customerId, creditMinor, feeMinor } = order;
      const metadata = { ...namesOf(order), type: 'credit_purchase' };
      const lines = [line(LINES.credit, creditMinor), ...(feeMinor > 0 ? [line(LINES.fee, feeMinor)] : [])];
      const session = await call('open a checkout', () =>
        stripe.checkout.sessions.create(
          {
            mode: 'payment',
            customer: stripeId(customerId),
            client_reference_id: userId,
            line_items: lines,
            metadata,
            payment_intent_data: { setup_future_usage: 'off_session', metadata },
            invoice_creation: { enabled: true, invoice_data: { metadata } },
            automatic_tax: { enabled: true },
            // Credits are dollars: nothing is sold in another currency.
            adaptive_pricing: { enabled: false },
            tax_id_collection: { enabled: true },
            billing_address_collection: 'required',
            customer_update: { address: 'auto', name: 'auto' },
            success_url: returnTo.paid,
            cancel_url: returnTo.notPaid,
          },
          step(purchaseId, 'session'),
        ),
      );
      return pageOf(session);
    },
    openSetup: async (userId, customerId, key) =>
      pageOf(
        await call('open a setup', () =>
          stripe.checkout.sessions.create(
            {
              mode: 'setup',
              currency: 'usd',
              customer: stripeId(customerId),
              client_reference_id: userId,
              metadata: { userId, type: 'setup_payment_method' },
              setup_intent_data: { metadata: { userId, type: 'setup_payment_method' } },
              billing_address_collection: 'required',
              customer_update: { address: 'auto', name: 'auto' },
              success_url: returnTo.methodAdded,
              cancel_url: returnTo.methodNotAdded,
            },
            step('setup', key),
          ),
        ),
      ),
    openPortal: async (customerId) =>
      (
        await call('open the portal', () =>
          stripe.billingPortal.sessions.create({ customer: stripeId(customerId), return_url: returnTo.portal }),
        )
      ).url,
    setup: async (sessionId) => {
      const session = await call('look at a setup', () =>
        stripe.checkout.sessions.retrieve(stripeId(sessionId), { expand: ['setup_intent'] }),
      );
      const intent = typeof session.setup_intent === 'object' ? session.setup_intent : null;
      return {
        status: SESSION_STATES.find((state) => state === session.status) ?? 'open',
        customerId: idOf(session.customer),
        paymentMethodId: intent?.status === 'succeeded' ? idOf(intent.payment_method) : null,
      };
    },
    issueInvoice,
    payInvoice: async (purchaseId, invoiceId) => {
      try {
        await call('pay an invoice', () =>
          stripe.invoices.pay(stripeId(invoiceId), { off_session: true }, { ...step(purchaseId, 'pay'), ...BANKS }),
        );
      } catch (error) {
        if (!isCardRefusal(error)) throw error;
      }
    },
    voidInvoice: async (purchaseId, invoiceId) => {
      const id = stripeId(invoiceId);
      const { status } = await call('look at an invoice', () => stripe.invoices.retrieve(id));
      if (status !== 'open') return;
      await call('void an invoice', () => stripe.invoices.voidInvoice(id, {}, step(purchaseId, 'void')));
    },
  };
};

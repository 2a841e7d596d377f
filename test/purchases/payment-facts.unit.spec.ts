import { expect } from 'chai';
import { createHmac } from 'node:crypto';
import { paymentFacts, type Fetched } from '../../infra/stripe/payment-facts.ts';
import { stripeNotices } from '../../infra/stripe/webhook-signature.ts';

const NOTHING = { session: undefined, invoice: undefined, intent: undefined, refunds: [], disputes: [] };

/** As much of Stripe's objects as is looked at. */
const fetched = (parts: Readonly<Record<string, unknown>>): Fetched => ({ ...NOTHING, ...parts });

describe('what Stripe knows of a payment', () => {
  it('is no payment of what was to be paid, when an invoice was paid out of what the customer had there', () => {
    const invoice = {
      id: 'in_1',
      status: 'paid',
      created: 1,
      due_date: null,
      amount_paid: 0,
      total: 2000,
      currency: 'usd',
    };
    expect(paymentFacts('p', fetched({ invoice }))).to.include({ status: 'succeeded', amountMinor: 0 });
    const open = paymentFacts('p', fetched({ invoice: { ...invoice, status: 'open' } }));
    expect(open).to.include({ status: 'open', amountMinor: 2000 });
  });

  it('is over when a bank said no after its page was left', () => {
    const intent = {
      id: 'pi_1',
      status: 'requires_payment_method',
      currency: 'usd',
      amount: 1,
      latest_charge: null,
      last_payment_error: { code: 'x', type: 'card_error' },
    };
    const session = { id: 'cs_1', status: 'complete', payment_status: 'unpaid', total_details: null };
    expect(paymentFacts('p', fetched({ intent, session }))).to.include({ status: 'failed', closed: 'canceled' });
    const tried = paymentFacts('p', fetched({ intent, session: { ...session, status: 'open' } }));
    expect(tried).to.include({ status: 'failed', closed: null });
  });
});

describe('a notice of Stripe', () => {
  const read = (body: unknown) => {
    const bytes = Buffer.from(JSON.stringify(body));
    const now = new Date();
    const time = Math.floor(now.getTime() / 1000);
    const signature = createHmac('sha256', 'whsec').update(`${time}.`).update(bytes).digest('hex');
    return stripeNotices('whsec')(bytes, `t=${time},v1=${signature}`, now);
  };
  const about = { id: 'evt_1', type: 'coupon.created', created: 1, livemode: false };

  it('is understood whatever its owner calls the object, which is none of ours then', () => {
    const strange = { id: 'SUMMER 10 %', object: 'coupon', customer: { deleted: true }, metadata: { nested: 1 } };
    expect(read({ ...about, data: { object: strange } })).to.deep.include({
      objectId: '',
      customerId: null,
      purchaseId: null,
    });
    expect(read({ ...about, data: {} })).to.equal(undefined);
  });
});

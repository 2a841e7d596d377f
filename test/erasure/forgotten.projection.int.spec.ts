import { adjustmentsProjection } from '../../projections/adjustments/adjustments.projection.ts';
import { adjustmentTable } from '../../projections/adjustments/adjustments.table.ts';
import { billingProfileProjection } from '../../projections/billing-profile/billing-profile.projection.ts';
import { billingProfileTable, paymentMethodTable } from '../../projections/billing-profile/billing-profile.table.ts';
import { purchasesProjection } from '../../projections/purchases/purchases.projection.ts';
import { invoiceTable } from '../../projections/purchases/purchases.table.ts';
import { expect } from 'chai';
import { secret } from '../devices/fixtures.ts';
import { givenProjection, type GivenEvent } from '../support/given-projection.ts';

const ADA = '11111111-1111-4111-8111-111111111111';
const GRACE = '22222222-2222-4222-8222-222222222222';
const at = '2026-03-01T12:00:00.000Z';

const erased: GivenEvent = {
  stream: `erasure-${ADA}`,
  type: 'SubjectKeyDestroyed',
  data: { userId: ADA, keyId: ADA, proof: null, at },
};

const ofBoth = (event: (userId: string) => GivenEvent): readonly GivenEvent[] => [event(ADA), event(GRACE)];

const invoice = (userId: string): GivenEvent => ({
  stream: `purchase-${userId}`,
  type: 'InvoiceIssued',
  data: {
    purchaseId: userId,
    userId,
    invoiceId: `in_${userId}`,
    status: 'paid',
    created: at,
    dueDate: null,
    amountPaidMinor: 1000,
    currency: 'usd',
    pdfUrl: secret(userId).sealed,
    at,
  },
  opened: { pdfUrl: `https://pay.example/${userId}.pdf` },
});

const initiated = (userId: string): GivenEvent => ({
  stream: `purchase-${userId}`,
  type: 'PurchaseInitiated',
  data: { purchaseId: userId, userId, kind: 'checkout', grossMinor: 1000, feeMinor: 100, creditMinor: 900, at },
});

const details = (userId: string): GivenEvent => ({
  stream: `billingProfile-${userId}`,
  type: 'BillingDetailsChanged',
  data: {
    userId,
    hasName: true,
    addressComplete: true,
    taxIdCount: 0,
    details: secret(userId).sealed,
    digest: 'd',
    at,
  },
  opened: { details: { customerName: 'Ada' } },
});

const linked = (userId: string): GivenEvent => ({
  stream: `billingProfile-${userId}`,
  type: 'StripeCustomerLinked',
  data: { userId, customerId: `cus_${userId}`, at },
});

const card = (userId: string): GivenEvent => ({
  stream: `billingProfile-${userId}`,
  type: 'PaymentMethodAttached',
  data: { userId, pmId: `pm_${userId}`, kind: 'card', card: secret(`card ${userId}`).sealed, created: at, at },
  opened: { card: { brand: 'visa', last4: '4242', expMonth: 1, expYear: 2030 } },
});

const adjusted = (userId: string): GivenEvent => ({
  stream: `creditAccount-${userId}`,
  type: 'CreditsAdjusted',
  data: {
    adjustmentId: 'adj-1',
    amount: '1000000',
    bucket: 'promo',
    reasonCode: 'goodwill',
    note: secret(userId).sealed,
    requestedBy: GRACE,
    at,
  },
  opened: { note: 'Ada wrote that …' },
});

describe('the read models of a user whose key is destroyed', function () {
  this.timeout(60_000);

  it('lose the addresses of invoices, of this user alone', async () => {
    const read = givenProjection(purchasesProjection).events(...ofBoth(initiated), ...ofBoth(invoice), erased);
    const rows = await read.rows(invoiceTable);
    expect(rows.map(({ user_id: userId, pdf_url: url }) => [userId, url])).to.deep.equal([
      [ADA, null],
      [GRACE, `https://pay.example/${GRACE}.pdf`],
    ]);
  });

  it('lose who the invoices go to and what was paid with, and keep the customer who is still to be deleted', async () => {
    const given = [...ofBoth(linked), ...ofBoth(details), ...ofBoth(card), erased];
    const read = givenProjection(billingProfileProjection).events(...given);
    const profiles = await read.rows(billingProfileTable);
    expect(profiles.map(({ user_id: userId, details: about, customer_id: id }) => [userId, about, id])).to.deep.equal([
      [ADA, null, `cus_${ADA}`],
      [GRACE, { customerName: 'Ada' }, `cus_${GRACE}`],
    ]);
    const methods = await read.rows(paymentMethodTable);
    expect(methods.map(({ user_id: userId }) => userId)).to.deep.equal([GRACE]);
  });

  it('lose what administrators noted about them', async () => {
    const rows = await givenProjection(adjustmentsProjection)
      .events(...ofBoth(adjusted), erased)
      .rows(adjustmentTable);
    expect(rows.map(({ user_id: userId, note }) => [userId, note])).to.deep.equal([
      [ADA, null],
      [GRACE, 'Ada wrote that …'],
    ]);
  });
});

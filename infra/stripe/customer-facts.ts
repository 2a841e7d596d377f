import type Stripe from 'stripe';
import type { BillingDetails, CustomerFacts, PaymentMethodFacts, TaxId } from '../../src/kernel/payments.ts';
import { idOf, instantOf } from './stripe-ids.ts';

const NOBODY: BillingDetails = {
  customerName: null,
  customerEmail: null,
  phone: null,
  taxExempt: null,
  taxIds: [],
  addressLine1: null,
  addressLine2: null,
  addressCity: null,
  addressState: null,
  addressPostalCode: null,
  addressCountry: null,
};

const NOWHERE: Stripe.Address = { line1: null, line2: null, city: null, state: null, postal_code: null, country: null };

const addressOf = (address: Stripe.Address | null | undefined) => {
  const { line1, line2, city, state, postal_code: postalCode, country } = address ?? NOWHERE;
  return {
    addressLine1: line1,
    addressLine2: line2,
    addressCity: city,
    addressState: state,
    addressPostalCode: postalCode,
    addressCountry: country,
  };
};

const taxIdFacts = ({ type, value, country, verification }: Stripe.TaxId): TaxId => ({
  type_: type,
  value,
  country,
  verificationStatus: verification?.status ?? null,
});

const detailsOf = (customer: Stripe.Customer): BillingDetails => ({
  customerName: customer.name ?? customer.shipping?.name ?? null,
  customerEmail: customer.email,
  phone: customer.phone ?? null,
  taxExempt: customer.tax_exempt ?? null,
  taxIds: (customer.tax_ids?.data ?? []).map(taxIdFacts),
  ...addressOf(customer.address ?? customer.shipping?.address),
});

const methodFacts = ({ id, type, card, created }: Stripe.PaymentMethod): PaymentMethodFacts => ({
  paymentMethodId: id,
  kind: type,
  card:
    card === undefined
      ? null
      : { brand: card.brand, last4: card.last4, expMonth: card.exp_month, expYear: card.exp_year },
  created: instantOf(created),
});

/** Stripe's customer in our words. */
export const customerFacts = (
  customer: Stripe.Customer | Stripe.DeletedCustomer,
  methods: readonly Stripe.PaymentMethod[],
): CustomerFacts =>
  customer.deleted === true
    ? { customerId: customer.id, deleted: true, details: NOBODY, methods: [], defaultMethodId: null }
    : {
        customerId: customer.id,
        deleted: false,
        details: detailsOf(customer),
        methods: methods.map(methodFacts),
        defaultMethodId: idOf(customer.invoice_settings.default_payment_method),
      };

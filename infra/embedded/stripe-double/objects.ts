/** Objects as Stripe's API shows them, as far as anybody asks for them. Amounts are cents, times Unix seconds. */
type Object<K extends string> = { id: string; object: K; created: number; livemode: false };
type Metadata = Record<string, string>;

export type Address = {
  line1: string | null;
  line2: string | null;
  city: string | null;
  state: string | null;
  postal_code: string | null;
  country: string | null;
};

export type Customer = Object<'customer'> & {
  email: string | null;
  name: string | null;
  phone: string | null;
  address: Address | null;
  shipping: null;
  tax_exempt: 'none';
  metadata: Metadata;
  invoice_settings: { default_payment_method: string | null };
  deleted?: true;
};

/** What paying with it comes to. `slow`: a bank debit, which settles later. */
export type Behaviour = 'good' | 'declined' | 'needs_action' | 'slow';

export type PaymentMethod = Object<'payment_method'> & {
  customer: string | null;
  type: 'card' | 'sepa_debit';
  card?: { brand: string; last4: string; exp_month: number; exp_year: number };
  sepa_debit?: { last4: string; country: string };
  behaviour: Behaviour;
};

export type Session = Object<'checkout.session'> & {
  mode: 'payment' | 'setup';
  customer: string;
  client_reference_id: string | null;
  status: 'open' | 'complete' | 'expired';
  payment_status: 'paid' | 'unpaid' | 'no_payment_required';
  url: string;
  success_url: string;
  cancel_url: string;
  currency: string;
  amount_subtotal: number;
  amount_total: number;
  total_details: { amount_tax: number; amount_discount: 0; amount_shipping: 0 };
  lines: { name: string; amount: number }[];
  expires_at: number;
  payment_intent: string | null;
  setup_intent: string | null;
  invoice: string | null;
  metadata: Metadata;
  intent_metadata: Metadata;
  invoice_metadata: Metadata;
};

export type Intent = Object<'payment_intent'> & {
  amount: number;
  amount_received: number;
  currency: string;
  customer: string;
  status: 'requires_payment_method' | 'requires_confirmation' | 'processing' | 'succeeded' | 'canceled';
  latest_charge: string | null;
  last_payment_error: { type: 'card_error'; code: string; decline_code: string | null; message: string } | null;
  metadata: Metadata;
};

export type SetupIntent = Object<'setup_intent'> & {
  customer: string;
  status: 'succeeded';
  payment_method: string;
  metadata: Metadata;
};

export type Charge = Object<'charge'> & {
  amount: number;
  amount_refunded: number;
  currency: string;
  customer: string;
  status: 'succeeded' | 'pending' | 'failed';
  payment_intent: string;
  balance_transaction: string | null;
  billing_details: { address: Address | null };
  payment_method_details: { type: string };
  metadata: Metadata;
};

export type BalanceTransaction = Object<'balance_transaction'> & {
  amount: number;
  fee: number;
  net: number;
  currency: string;
  available_on: number;
};

export type Invoice = Object<'invoice'> & {
  customer: string;
  status: 'draft' | 'open' | 'paid' | 'void';
  currency: string;
  total: number;
  total_excluding_tax: number;
  amount_due: number;
  amount_paid: number;
  due_date: null;
  invoice_pdf: string;
  metadata: Metadata;
};

export type InvoicePayment = Object<'invoice_payment'> & {
  invoice: string;
  status: 'open' | 'paid';
  payment: { type: 'payment_intent'; payment_intent: string };
};

export type Refund = Object<'refund'> & {
  amount: number;
  currency: string;
  payment_intent: string;
  charge: string;
  status: 'pending' | 'succeeded' | 'failed';
};

export type Dispute = Object<'dispute'> & {
  amount: number;
  currency: string;
  payment_intent: string;
  charge: string;
  reason: string;
  status: 'needs_response' | 'won' | 'lost';
  balance_transactions: { fee: number }[];
};

/** What happened, with the object as it was then. */
export type DoubleEvent = Object<'event'> & { type: string; api_version: string; data: { object: unknown } };

export type Kinds = {
  customer: Customer;
  payment_method: PaymentMethod;
  'checkout.session': Session;
  payment_intent: Intent;
  setup_intent: SetupIntent;
  charge: Charge;
  balance_transaction: BalanceTransaction;
  invoice: Invoice;
  invoice_payment: InvoicePayment;
  refund: Refund;
  dispute: Dispute;
  event: DoubleEvent;
};
export type Kind = keyof Kinds;

/** How ids of each kind begin. */
export const PREFIX: Readonly<Record<Kind, string>> = {
  customer: 'cus_',
  payment_method: 'pm_',
  'checkout.session': 'cs_test_',
  payment_intent: 'pi_',
  setup_intent: 'seti_',
  charge: 'ch_',
  balance_transaction: 'txn_',
  invoice: 'in_',
  invoice_payment: 'inpay_',
  refund: 're_',
  dispute: 'du_',
  event: 'evt_',
};

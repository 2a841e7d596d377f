import { badRequest, listOf, type ApiCall, type ApiCalls } from './api-shape.ts';
import { formAt, numberAt, textAt, textsAt, type Form } from './form.ts';
import type { Address, Customer, Kind, Session } from './objects.ts';
import { invoiceCalls } from './invoice-api.ts';
import { refundIntent, taxOn } from './paying.ts';
import type { World } from './world.ts';

const DAY = 86_400;
const ADDRESS = ['line1', 'line2', 'city', 'state', 'postal_code', 'country'] as const;

/** The address in a form; null when nothing of it is there. */
export const addressIn = (form: Form): Address | null => {
  const parts = ADDRESS.map((name) => [name, textAt(form, name)?.trim() ?? ''] as const);
  if (parts.every(([, value]) => value === '')) return null;
  return Object.fromEntries(parts.map(([name, value]) => [name, value === '' ? null : value])) as Address;
};

const newCustomer: ApiCall = (world, form) => {
  const customer: Customer = {
    ...world.base('customer'),
    email: textAt(form, 'email') ?? null,
    name: textAt(form, 'name') ?? null,
    phone: null,
    address: null,
    shipping: null,
    tax_exempt: 'none',
    metadata: textsAt(form, 'metadata'),
    invoice_settings: { default_payment_method: null },
  };
  world.put(customer);
  world.happened('customer.created', customer);
  return customer;
};

const shownCustomer = (world: World, customer: Customer) =>
  customer.deleted === true
    ? { id: customer.id, object: 'customer', deleted: true }
    : { ...customer, tax_ids: listOf(world, `/v1/customers/${customer.id}/tax_ids`, [], {}) };

const changeCustomer: ApiCall = (world, form, id = '') => {
  const customer = world.must('customer', id);
  const method = textAt(form, 'invoice_settings', 'default_payment_method');
  if (method !== undefined && world.must('payment_method', method).customer !== id) {
    throw badRequest('The payment method does not belong to this customer.');
  }
  const changed: Customer = {
    ...customer,
    email: textAt(form, 'email') ?? customer.email,
    name: textAt(form, 'name') ?? customer.name,
    address: addressIn(formAt(form, 'address')) ?? customer.address,
    invoice_settings: { default_payment_method: method ?? customer.invoice_settings.default_payment_method },
  };
  world.put(changed);
  world.happened('customer.updated', changed);
  return shownCustomer(world, changed);
};

const deleteCustomer: ApiCall = (world, _form, id = '') => {
  const customer = world.must('customer', id);
  const { id: _id, object, created, livemode, metadata } = customer;
  const gone: Customer = {
    ...{ id, object, created, livemode, metadata, deleted: true },
    ...{ email: null, name: null, phone: null, address: null, shipping: null, tax_exempt: 'none' },
    invoice_settings: { default_payment_method: null },
  };
  for (const method of world.where('payment_method', 'customer', id)) world.put({ ...method, customer: null });
  world.put(gone);
  world.happened('customer.deleted', gone);
  return { id, object: 'customer', deleted: true };
};

/** `metadata['userId']:'…'` is the one question that is understood. */
const searchCustomers: ApiCall = (world, form) => {
  const [, name = '', value = ''] = /^metadata\['(\w+)'\]:'([^']+)'$/.exec(textAt(form, 'query') ?? '') ?? [];
  const found = world.all('customer').filter(({ metadata, deleted }) => metadata[name] === value && deleted !== true);
  return { ...listOf(world, '/v1/customers/search', found, form), object: 'search_result', next_page: null };
};

const linesIn = (form: Form): Session['lines'] =>
  Object.keys(formAt(form, 'line_items')).map((index) => {
    const at = ['line_items', index, 'price_data'];
    if (textAt(form, ...at, 'currency') !== 'usd') throw badRequest('Only usd is sold here.');
    const amount = numberAt(form, 0, ...at, 'unit_amount') * numberAt(form, 1, 'line_items', index, 'quantity');
    return { name: textAt(form, ...at, 'product_data', 'name') ?? '', amount };
  });

const newSession: ApiCall = (world, form) => {
  const customer = world.living(textAt(form, 'customer') ?? '');
  const mode = textAt(form, 'mode');
  if (mode !== 'payment' && mode !== 'setup') throw badRequest('mode must be payment or setup');
  const lines = linesIn(form);
  const net = lines.reduce((sum, { amount }) => sum + amount, 0);
  if (mode === 'payment' && net < 50) throw badRequest('The amount is too small.', 'amount_too_small');
  const tax = taxOn(world, customer, net);
  const started = world.base('checkout.session');
  const session: Session = {
    ...started,
    mode,
    customer: customer.id,
    client_reference_id: textAt(form, 'client_reference_id') ?? null,
    status: 'open',
    payment_status: mode === 'setup' ? 'no_payment_required' : 'unpaid',
    url: `${world.url()}/${mode === 'setup' ? 'setup' : 'checkout'}/${started.id}`,
    success_url: textAt(form, 'success_url') ?? '',
    cancel_url: textAt(form, 'cancel_url') ?? '',
    currency: 'usd',
    amount_subtotal: net,
    amount_total: net + tax,
    total_details: { amount_tax: tax, amount_discount: 0, amount_shipping: 0 },
    lines,
    expires_at: world.seconds() + DAY,
    payment_intent: null,
    setup_intent: null,
    invoice: null,
    metadata: textsAt(form, 'metadata'),
    intent_metadata: textsAt(form, mode === 'setup' ? 'setup_intent_data' : 'payment_intent_data', 'metadata'),
    invoice_metadata: textsAt(form, 'invoice_creation', 'invoice_data', 'metadata'),
  };
  world.put(session);
  return session;
};

/** Nobody can pay after the time is over. */
export const expireSession = (world: World, session: Session): Session => {
  if (session.status !== 'open') return session;
  const expired: Session = { ...session, status: 'expired' };
  world.put(expired);
  world.happened('checkout.session.expired', expired);
  return expired;
};

/** The session as it is by now. */
export const sessionNow = (world: World, id: string): Session => {
  const session = world.must('checkout.session', id);
  return session.expires_at <= world.seconds() ? expireSession(world, session) : session;
};

const byIntent =
  (kind: 'refund' | 'dispute', url: string): ApiCall =>
  (world, form) =>
    listOf(world, url, world.where(kind, 'payment_intent', textAt(form, 'payment_intent') ?? ''), form);

const look =
  (kind: Kind): ApiCall =>
  (world, _form, id = '') =>
    world.must(kind, id);

/** Every call that is understood, by method and path. */
export const apiCalls: ApiCalls = {
  ...invoiceCalls,
  'POST /v1/customers': newCustomer,
  'GET /v1/customers/search': searchCustomers,
  'GET /v1/customers/:id': (world, _form, id = '') => shownCustomer(world, world.must('customer', id)),
  'POST /v1/customers/:id': changeCustomer,
  'DELETE /v1/customers/:id': deleteCustomer,
  'GET /v1/customers/:id/payment_methods': (world, form, id = '') =>
    listOf(world, `/v1/customers/${id}/payment_methods`, world.where('payment_method', 'customer', id), form),
  'POST /v1/checkout/sessions': newSession,
  'GET /v1/checkout/sessions': (world, form) => {
    const intent = textAt(form, 'payment_intent') ?? '';
    return listOf(world, '/v1/checkout/sessions', world.where('checkout.session', 'payment_intent', intent), form);
  },
  'GET /v1/checkout/sessions/:id': (world, _form, id = '') => sessionNow(world, id),
  'POST /v1/billing_portal/sessions': (world, form) => {
    const customer = world.living(textAt(form, 'customer') ?? '').id;
    const back = textAt(form, 'return_url') ?? '';
    const url = `${world.url()}/portal/${customer}?return_url=${encodeURIComponent(back)}`;
    return { id: `bps_${customer.slice(4)}`, object: 'billing_portal.session', customer, url, return_url: back };
  },
  'GET /v1/payment_intents/:id': look('payment_intent'),
  'GET /v1/setup_intents/:id': look('setup_intent'),
  'GET /v1/charges/:id': look('charge'),
  'GET /v1/refunds': byIntent('refund', '/v1/refunds'),
  'POST /v1/refunds': (world, form) => {
    const amount = textAt(form, 'amount') === undefined ? undefined : numberAt(form, 0, 'amount');
    return refundIntent(world, textAt(form, 'payment_intent') ?? '', amount);
  },
  'GET /v1/disputes': byIntent('dispute', '/v1/disputes'),
};

import { addressIn, sessionNow } from './api.ts';
import { textAt, type Form } from './form.ts';
import type { Behaviour, Customer, PaymentMethod, Session } from './objects.ts';
import { checkoutPage, noticePage, portalPage, setupPage } from './pages.ts';
import { afterPaying, payIntent, sessionIntent, taxOn } from './paying.ts';
import type { World } from './world.ts';

/** What a page's call answers. */
export type PageReply = Readonly<{ html: string }> | Readonly<{ redirect: string }>;
export type PageCall = (world: World, form: Form, id: string) => PageReply;

const CARDS: Readonly<Record<Exclude<Behaviour, 'slow'>, string>> = {
  good: '4242',
  declined: '0002',
  needs_action: '3155',
};
const CARD_YEARS = 4;

const behaviourOf = (choice: string | undefined): Behaviour =>
  choice === 'declined' || choice === 'needs_action' || choice === 'slow' ? choice : 'good';

const newMethod = (world: World, customer: string, behaviour: Behaviour): PaymentMethod => {
  const method: PaymentMethod = {
    ...world.base('payment_method'),
    customer,
    behaviour,
    ...(behaviour === 'slow'
      ? { type: 'sepa_debit', sepa_debit: { last4: '3000', country: 'DE' } }
      : {
          type: 'card',
          card: {
            brand: 'visa',
            last4: CARDS[behaviour],
            exp_month: 12,
            exp_year: new Date(world.seconds() * 1000).getUTCFullYear() + CARD_YEARS,
          },
        }),
  };
  world.put(method);
  world.happened('payment_method.attached', method);
  return method;
};

const chosenMethod = (world: World, customer: string, form: Form): PaymentMethod => {
  const choice = textAt(form, 'method');
  const saved = world.where('payment_method', 'customer', customer).find(({ id }) => id === choice);
  return saved ?? newMethod(world, customer, behaviourOf(choice));
};

const withAddress = (world: World, customer: Customer, form: Form): Customer => {
  const changed: Customer = {
    ...customer,
    name: textAt(form, 'name') ?? customer.name,
    address: addressIn(form) ?? customer.address,
  };
  world.put(changed);
  world.happened('customer.updated', changed);
  return changed;
};

const returnTo = (url: string, session: Session): PageReply => ({
  redirect: url.replaceAll('{CHECKOUT_SESSION_ID}', session.id),
});

const over = (session: Session): PageReply => ({
  html: noticePage(
    session.status === 'complete' ? 'This is paid' : 'Too late',
    session.status === 'complete' ? 'You may close this window.' : 'Begin again from the app.',
  ),
});

const methodsOf = (world: World, customer: string) => world.where('payment_method', 'customer', customer);

const showCheckout: PageCall = (world, _form, id) => {
  const session = sessionNow(world, id);
  if (session.status !== 'open') return over(session);
  const customer = world.must('customer', session.customer);
  return { html: checkoutPage(session, customer, methodsOf(world, customer.id)) };
};

/** Tax is reckoned anew: the address may be another one now. */
const taxed = (world: World, session: Session, customer: Customer): Session => {
  const tax = taxOn(world, customer, session.amount_subtotal);
  const details = { ...session.total_details, amount_tax: tax };
  const priced: Session = { ...session, total_details: details, amount_total: session.amount_subtotal + tax };
  world.put(priced);
  return priced;
};

const pay: PageCall = (world, form, id) => {
  const open = sessionNow(world, id);
  if (open.status !== 'open') return over(open);
  const customer = withAddress(world, world.must('customer', open.customer), form);
  const session = taxed(world, open, customer);
  const method = chosenMethod(world, customer.id, form);
  const intent = payIntent(world, sessionIntent(world, session), method, true);
  const after = afterPaying(world, session, intent);
  if (after.status === 'complete') return returnTo(session.success_url, session);
  const problem = intent.last_payment_error?.message;
  return { html: checkoutPage(session, customer, methodsOf(world, customer.id), problem) };
};

const saveSetup: PageCall = (world, form, id) => {
  const session = sessionNow(world, id);
  if (session.status !== 'open') return over(session);
  const customer = withAddress(world, world.must('customer', session.customer), form);
  const method = newMethod(world, customer.id, behaviourOf(textAt(form, 'method')));
  const intent = {
    ...world.base('setup_intent'),
    customer: customer.id,
    status: 'succeeded' as const,
    payment_method: method.id,
    metadata: session.intent_metadata,
  };
  world.put(intent);
  world.happened('setup_intent.succeeded', intent);
  const complete: Session = { ...session, status: 'complete', setup_intent: intent.id };
  world.put(complete);
  world.happened('checkout.session.completed', complete);
  return returnTo(session.success_url, session);
};

const cancel: PageCall = (world, _form, id) => {
  const session = sessionNow(world, id);
  return returnTo(session.cancel_url, session);
};

const withDefault = (world: World, customer: Customer, method: string | null): void => {
  const changed: Customer = { ...customer, invoice_settings: { default_payment_method: method } };
  world.put(changed);
  world.happened('customer.updated', changed);
};

const removeMethod = (world: World, customer: Customer, method: PaymentMethod): void => {
  if (customer.invoice_settings.default_payment_method === method.id) withDefault(world, customer, null);
  const detached: PaymentMethod = { ...method, customer: null };
  world.put(detached);
  world.happened('payment_method.detached', { ...detached, customer: customer.id });
};

const showPortal: PageCall = (world, form, id) => ({
  html: portalPage(world.must('customer', id), methodsOf(world, id), textAt(form, 'return_url') ?? ''),
});

const usePortal: PageCall = (world, form, id) => {
  const customer = world.must('customer', id);
  const method = methodsOf(world, id).find((candidate) => candidate.id === textAt(form, 'id'));
  const wish = textAt(form, 'do');
  if (wish === 'add') newMethod(world, id, behaviourOf(textAt(form, 'method')));
  if (wish === 'address') withAddress(world, customer, form);
  if (wish === 'default' && method !== undefined) withDefault(world, customer, method.id);
  if (wish === 'remove' && method !== undefined) removeMethod(world, customer, method);
  return { redirect: `/portal/${id}?return_url=${encodeURIComponent(textAt(form, 'return_url') ?? '')}` };
};

/** The pages that people see, by method and path. */
export const pageCalls: Readonly<Record<string, PageCall>> = {
  'GET /checkout/:id': showCheckout,
  'POST /checkout/:id/pay': pay,
  'POST /checkout/:id/cancel': cancel,
  'GET /setup/:id': (world, _form, id) => {
    const session = sessionNow(world, id);
    if (session.status !== 'open') return over(session);
    return { html: setupPage(session, world.must('customer', session.customer)) };
  },
  'POST /setup/:id/save': saveSetup,
  'POST /setup/:id/cancel': cancel,
  'GET /portal/:id': showPortal,
  'POST /portal/:id': usePortal,
  'GET /invoice/:id': (world, _form, id) => {
    const { status, amount_paid: paid, currency } = world.must('invoice', id);
    return { html: noticePage('Invoice', `${id}: ${status}, ${(paid / 100).toFixed(2)} ${currency.toUpperCase()}`) };
  },
};

import type { Address, Customer, PaymentMethod, Session } from './objects.ts';

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 3rem auto; padding: 0 1rem;
    color: #1c1e21; background: #fafafa }
  h1 { font-size: 1.3rem } h2, legend { font-size: 1rem; font-weight: 600 } small, .note { color: #555 }
  fieldset { border: 1px solid #c8ccd0; border-radius: .5rem; margin: 1rem 0 } label { display: block; margin: .4rem 0 }
  input:not([type=radio]), select, button { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem .7rem;
    border: 1px solid #8a9097; border-radius: .4rem; background: #fff; color: inherit }
  button { cursor: pointer; margin: .3rem 0 } button.main { background: #2457d6; color: #fff; border-color: #2457d6 }
  table { width: 100% } td:last-child { text-align: right } .problem { color: #a40000; font-weight: 600 }
  @media (prefers-color-scheme: dark) { body { color: #e8e8e8; background: #16181b } small, .note { color: #aaa }
    input:not([type=radio]), select, button { background: #22262b } .problem { color: #ff9a9a } }
`;

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>
<style>${STYLE}</style></head>
<body><main>
<h1>${escaped(title)}</h1>
<p class="note">This is the payment page of a server on your own machine. No money moves.</p>
${body}
</main></body>
</html>
`;

const problemText = (problem: string | undefined): string =>
  problem === undefined ? '' : `<p class="problem" role="alert">${escaped(problem)}</p>`;

const dollars = (cents: number): string => `$${(cents / 100).toFixed(2)}`;

const methodName = ({ type, card, sepa_debit: debit }: PaymentMethod): string =>
  type === 'card'
    ? `${card?.brand ?? 'card'} ending in ${card?.last4 ?? ''}`
    : `bank account ending in ${debit?.last4 ?? ''}`;

const CARDS = `
<label><input type="radio" name="method" value="card" checked> a card that works (4242)</label>
<label><input type="radio" name="method" value="declined"> a card that is declined (0002)</label>
<label><input type="radio" name="method" value="needs_action"> a card whose bank asks each time (3155)</label>
<label><input type="radio" name="method" value="slow"> a bank account, whose money comes later</label>`;

const field = (name: string, label: string, value: string | null | undefined, autocomplete: string): string =>
  `<label>${label} <input name="${name}" value="${escaped(value ?? '')}" required autocomplete="${autocomplete}"></label>`;

const addressFields = ({ name, address }: Pick<Customer, 'name'> & Readonly<{ address: Address | null }>): string => `
<fieldset><legend>Billing address</legend>
${field('name', 'Name', name ?? 'Ada Lovelace', 'name')}
${field('line1', 'Street', address?.line1 ?? '1 Example Street', 'address-line1')}
${field('city', 'City', address?.city ?? 'Springfield', 'address-level2')}
${field('postal_code', 'Postal code', address?.postal_code ?? '12345', 'postal-code')}
${field('country', 'Country (two letters)', address?.country ?? 'US', 'country')}
</fieldset>`;

/** The page to pay on. */
export const checkoutPage = (
  session: Session,
  customer: Customer,
  methods: readonly PaymentMethod[],
  problem?: string,
): string => {
  const rows = [...session.lines, { name: 'Tax', amount: session.total_details.amount_tax }];
  const saved = methods.map(
    (method, index) =>
      `<label><input type="radio" name="method" value="${method.id}"${index === 0 ? ' checked' : ''}> ${escaped(methodName(method))}</label>`,
  );
  return page(
    `Pay ${dollars(session.amount_total)}`,
    `${problemText(problem)}
<table><caption><small>What you buy</small></caption>
${rows.map(({ name, amount }) => `<tr><td>${escaped(name)}</td><td>${dollars(amount)}</td></tr>`).join('\n')}
<tr><td><strong>Total</strong></td><td><strong>${dollars(session.amount_total)}</strong></td></tr></table>
<form method="post" action="/checkout/${session.id}/pay">
<fieldset><legend>Pay with</legend>${saved.join('\n')}${saved.length > 0 ? CARDS.replace(' checked', '') : CARDS}</fieldset>
${addressFields(customer)}
<button class="main">Pay ${dollars(session.amount_total)}</button>
</form>
<form method="post" action="/checkout/${session.id}/cancel"><button>Cancel</button></form>`,
  );
};

/** The page to add a payment method on. */
export const setupPage = (session: Session, customer: Customer): string =>
  page(
    'Add a payment method',
    `<form method="post" action="/setup/${session.id}/save">
<fieldset><legend>Payment method</legend>${CARDS}</fieldset>
${addressFields(customer)}
<button class="main">Save</button>
</form>
<form method="post" action="/setup/${session.id}/cancel"><button>Cancel</button></form>`,
  );

const portalMethod = (action: string, method: PaymentMethod, isDefault: boolean): string => `
<li>${escaped(methodName(method))}${isDefault ? ' <strong>(default)</strong>' : ''}
<form method="post" action="${action}"><input type="hidden" name="id" value="${method.id}">
${isDefault ? '' : '<button name="do" value="default">Make default</button>'}
<button name="do" value="remove">Remove</button></form></li>`;

/** The page of everything about paying. */
export const portalPage = (customer: Customer, methods: readonly PaymentMethod[], back: string): string => {
  const action = `/portal/${customer.id}?return_url=${encodeURIComponent(back)}`;
  const list = methods.map((method) =>
    portalMethod(action, method, method.id === customer.invoice_settings.default_payment_method),
  );
  return page(
    'Billing',
    `<h2>Payment methods</h2>${list.length === 0 ? '<p>None yet.</p>' : `<ul>${list.join('')}</ul>`}
<form method="post" action="${action}"><fieldset><legend>Add one</legend>${CARDS}</fieldset>
<button name="do" value="add">Add</button></form>
<form method="post" action="${action}">${addressFields(customer)}<button name="do" value="address">Save address</button></form>
${back === '' ? '' : `<p><a href="${escaped(back)}">Back</a></p>`}`,
  );
};

/** A page that says one thing. */
export const noticePage = (title: string, text: string): string => page(title, `<p>${escaped(text)}</p>`);

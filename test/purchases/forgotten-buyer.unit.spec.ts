import { expect } from 'chai';
import { customers } from '../../commands/billing-profile/customers.ts';
import { billingProfileAggregate, stripeCustomerAggregate } from '../../commands/billing-profile/index.ts';
import { usualPurchasePolicy } from '../support/usual-policy.ts';
import { purchaseAggregate } from '../../commands/purchases/index.ts';
import { purchasing } from '../../commands/purchases/purchasing.ts';
import { sqliteVault } from '../../infra/vault/sqlite-vault.ts';
import { commandHandler } from '../../src/kernel/command-handler.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import type { CustomerFacts, PaymentFacts, PaymentProvider } from '../../src/kernel/payments.ts';
import { ada, causeAt, identityRig, START } from '../identity/rig.ts';
import { memoryEventStore } from '../support/memory-event-store.ts';

const purchaseId = '7b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';

const facts: PaymentFacts = {
  purchaseId,
  status: 'succeeded',
  closed: null,
  sessionId: 'cs_1',
  paymentIntentId: 'pi_1',
  chargeId: 'ch_1',
  methodType: 'sepa_debit',
  currency: 'usd',
  amountMinor: 1000,
  taxMinor: 0,
  taxCountry: 'DE',
  failure: null,
  processorFee: null,
  invoice: {
    invoiceId: 'in_1',
    status: 'paid',
    created: START,
    dueDate: null,
    amountPaidMinor: 1000,
    currency: 'usd',
    pdfUrl: 'https://pay.example/1.pdf',
  },
  refunds: [],
  disputes: [],
};

const customer: CustomerFacts = {
  customerId: 'cus_1',
  deleted: false,
  details: {
    customerName: 'Ada',
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
  },
  methods: [],
  defaultMethodId: null,
};

/** A user with a purchase that was begun; the account is closed and the key destroyed. */
const given = async () => {
  const store = memoryEventStore();
  const vault = sqliteVault({ path: ':memory:', masterKey: 'ab'.repeat(32) });
  const rig = identityRig(store, vault);
  const deps = { store, logger: silentLogger, pause: () => Promise.resolve() };
  const purchases = commandHandler(purchaseAggregate, deps);
  const profiles = commandHandler(billingProfileAggregate, deps);
  const clock = () => new Date(START);
  const provider = {
    payment: () => Promise.resolve(facts),
    customer: () => Promise.resolve(customer),
  } as unknown as PaymentProvider;
  const owners = commandHandler(stripeCustomerAggregate, deps);
  const people = customers({ profiles, owners, provider, vault, clock });
  const buying = purchasing({
    ...{ purchases, profiles, provider, vault, clock },
    credits: rig.accounts,
    customers: people,
    policy: () => Promise.resolve(usualPurchasePolicy),
  });
  const { userId } = await rig.logIn(ada, START);
  const begun = { purchaseId, userId, kind: 'checkout', grossMinor: 1000, triggerId: null, consent: null } as const;
  const data = { ...begun, policy: usualPurchasePolicy, at: START };
  await purchases.handle(purchaseId, { type: 'InitiatePurchase', key: 'initiate', data }, causeAt());
  const closing = { reason: 'erasure', paid: 'refund_paid', at: START } as const;
  await rig.accounts.handle(userId, { type: 'CloseAccount', key: 'close', data: closing }, causeAt());
  await vault.destroy(userId);
  return { store, userId, buying, people };
};

describe('a buyer who was forgotten while the payment was on its way', () => {
  it('has the payment on record, without the address of the invoice, and no credit of it', async () => {
    const { store, buying } = await given();
    const purchase = await buying.reconcile(purchaseId, {}, causeAt());
    expect(purchase?.status, 'the account takes nothing: somebody has to look').to.equal('mismatch');
    const said = store.log().filter(({ stream }) => stream === `purchase-${purchaseId}`);
    const types = said.map(({ type }) => type);
    expect(types).to.include('PaymentSucceeded');
    expect(types.at(-1)).to.equal('PurchaseMismatchDetected');
    expect(types).not.to.include('PurchaseFulfilled');
    const invoice = said.find(({ type }) => type === 'InvoiceIssued');
    expect(invoice?.data).to.deep.include({ invoiceId: 'in_1', pdfUrl: null });
  });

  it('is not learned anything of any more', async () => {
    const { store, userId, people } = await given();
    await people.refresh(userId, 'cus_1', causeAt());
    expect(store.log().filter(({ stream }) => stream === `billingProfile-${userId}`)).to.deep.equal([]);
  });
});

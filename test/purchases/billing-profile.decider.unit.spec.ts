import type { BillingProfileCommand } from '../../commands/billing-profile/billing-profile.commands.ts';
import { billingProfileDecider } from '../../commands/billing-profile/billing-profile.decider.ts';
import type { BillingProfileEvent } from '../../src/events/billing-profile/billing-profile.events.ts';
import { given } from '../support/given.ts';

const userId = '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
const at = '2026-03-01T10:00:00.000Z';
const later = '2026-03-01T11:00:00.000Z';
const sealed = { k: 'k', iv: '', ct: '', tag: '' };
const details = { hasName: true, addressComplete: true, taxIdCount: 0, digest: 'one' };
const method = { pmId: 'pm_1', kind: 'card', card: null, created: at };

const payable: readonly BillingProfileEvent[] = [
  { type: 'StripeCustomerLinked', data: { userId, customerId: 'cus_1', at } },
  { type: 'BillingDetailsChanged', data: { userId, ...details, details: sealed, at } },
  { type: 'PaymentMethodAttached', data: { userId, ...method, at } },
  { type: 'DefaultPaymentMethodChanged', data: { userId, pmId: 'pm_1', at } },
  {
    type: 'AutoTopOffConfigured',
    data: { userId, threshold: '5000000', amountMinor: 2000, mandateTextVersion: '1', at },
  },
];
const learn = (
  over: Partial<Extract<BillingProfileCommand, { type: 'LearnCustomer' }>['data']['learned']>,
): BillingProfileCommand => ({
  type: 'LearnCustomer',
  key: 'learn',
  data: {
    ...{ userId, customerId: 'cus_1', seen: 3, at: later },
    learned: { details: { ...details, sealed }, methods: [method], defaultMethodId: 'pm_1', ...over },
  },
});
const ended = (reason: string): BillingProfileEvent => ({
  type: 'AutoTopOffDisabled',
  data: { userId, by: 'system', reason, at: later },
});

describe('how a user pays', () => {
  it('switches automatic buying off with the last thing that it could charge', () => {
    given(billingProfileDecider, ...payable)
      .when(learn({}))
      .thenNothing();
    given(billingProfileDecider, ...payable)
      .when(learn({ methods: [], defaultMethodId: null }))
      .thenEvents(
        { type: 'PaymentMethodDetached', data: { userId, pmId: 'pm_1', at: later } },
        { type: 'DefaultPaymentMethodChanged', data: { userId, pmId: null, at: later } },
        ended('payment_method_required'),
      );
    const unlink = { userId, customerId: 'cus_1', reason: 'deleted' as const, at: later };
    given(billingProfileDecider, ...payable)
      .when({ type: 'UnlinkCustomer', key: 'unlink', data: unlink })
      .thenEvents(
        { type: 'PaymentMethodDetached', data: { userId, pmId: 'pm_1', at: later } },
        { type: 'StripeCustomerUnlinked', data: unlink },
        ended('payment_method_required'),
      );
  });

  it('is not learned from a look that others have overtaken', () => {
    const old = learn({ methods: [], defaultMethodId: null });
    given(billingProfileDecider, ...payable, { type: 'PaymentMethodAttached', data: { userId, ...method, at } })
      .when(old)
      .thenNothing();
  });

  it('and with an address that is no longer complete', () => {
    const changed = { ...details, addressComplete: false, digest: 'two' };
    given(billingProfileDecider, ...payable)
      .when(learn({ details: { ...changed, sealed } }))
      .thenEvents(
        { type: 'BillingDetailsChanged', data: { userId, ...changed, details: sealed, at: later } },
        ended('billing_address_required'),
      );
  });
});

import type { BillingProfileEvent } from '../../src/events/billing-profile/billing-profile.events.ts';
import { microOf } from '../../src/kernel/money.ts';
import { never } from '../../src/kernel/never.ts';
import { noProfile, type BillingProfile } from './billing-profile.state.ts';

type AboutCustomer = Extract<
  BillingProfileEvent,
  { type: 'StripeCustomerRequested' | 'StripeCustomerLinked' | 'StripeCustomerUnlinked' }
>;

const aboutCustomer = (profile: BillingProfile, event: AboutCustomer): BillingProfile => {
  switch (event.type) {
    case 'StripeCustomerRequested':
      return { ...profile, requestedAt: event.data.at };
    case 'StripeCustomerLinked':
      return { ...profile, customerId: event.data.customerId };
    case 'StripeCustomerUnlinked':
      return { ...noProfile, unlinked: profile.unlinked + 1, learned: profile.learned, topOff: profile.topOff };
    default:
      return never(event);
  }
};

const disabled = ({ topOff }: BillingProfile): BillingProfile['topOff'] =>
  topOff === null ? null : { ...topOff, enabled: false };

const aboutPaying = (profile: BillingProfile, event: Exclude<BillingProfileEvent, AboutCustomer>): BillingProfile => {
  switch (event.type) {
    case 'BillingDetailsChanged': {
      const { hasName, addressComplete, digest } = event.data;
      return { ...profile, hasName, addressComplete, digest };
    }
    case 'PaymentMethodAttached':
      return { ...profile, methods: [...profile.methods, event.data.pmId] };
    case 'PaymentMethodDetached':
      return { ...profile, methods: profile.methods.filter((pmId) => pmId !== event.data.pmId) };
    case 'DefaultPaymentMethodChanged':
      return { ...profile, defaultMethodId: event.data.pmId };
    case 'SetupSessionOpened':
      return { ...profile, openSetups: [...profile.openSetups, event.data.sessionId] };
    case 'SetupSessionEnded':
      return { ...profile, openSetups: profile.openSetups.filter((id) => id !== event.data.sessionId) };
    case 'AutoTopOffConfigured': {
      const { threshold, amountMinor } = event.data;
      return { ...profile, topOff: { enabled: true, threshold: microOf(threshold), amountMinor } };
    }
    case 'AutoTopOffDisabled':
      return { ...profile, topOff: disabled(profile) };
    default:
      return never(event);
  }
};

const LEARNED = [
  'BillingDetailsChanged',
  'PaymentMethodAttached',
  'PaymentMethodDetached',
  'DefaultPaymentMethodChanged',
];

/** The profile after an event. */
export const evolveProfile = (profile: BillingProfile, event: BillingProfileEvent): BillingProfile => {
  switch (event.type) {
    case 'StripeCustomerRequested':
    case 'StripeCustomerLinked':
    case 'StripeCustomerUnlinked':
      return aboutCustomer(profile, event);
    default: {
      const after = aboutPaying(profile, event);
      return LEARNED.includes(event.type) ? { ...after, learned: after.learned + 1 } : after;
    }
  }
};

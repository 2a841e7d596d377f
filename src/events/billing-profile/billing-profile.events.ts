import type { Event, IsoTime } from '../../kernel/message.ts';
import type { MicroText } from '../../kernel/money.ts';
import type { Sealed } from '../../kernel/vault.ts';

type Said<D> = D & Readonly<{ userId: string; at: IsoTime }>;

/** A customer is about to be made at the payment provider; `attempt` counts those that were unlinked before. */
export type StripeCustomerRequested = Event<'StripeCustomerRequested', Said<Readonly<{ attempt: number }>>>;
export type StripeCustomerLinked = Event<'StripeCustomerLinked', Said<Readonly<{ customerId: string }>>>;
export type StripeCustomerUnlinked = Event<
  'StripeCustomerUnlinked',
  Said<Readonly<{ customerId: string; reason: 'deleted' | 'erased' }>>
>;

/** Who the invoices go to is different. What is needed to decide is open, all else is sealed. */
export type BillingDetailsChanged = Event<
  'BillingDetailsChanged',
  Said<
    Readonly<{
      hasName: boolean;
      addressComplete: boolean;
      taxIdCount: number;
      details: Sealed;
      /** A keyed hash, so that equal details are not said twice. */
      digest: string;
    }>
  >
>;

export type PaymentMethodAttached = Event<
  'PaymentMethodAttached',
  Said<Readonly<{ pmId: string; kind: string; card: Sealed | null; created: IsoTime }>>
>;
export type PaymentMethodDetached = Event<'PaymentMethodDetached', Said<Readonly<{ pmId: string }>>>;
export type DefaultPaymentMethodChanged = Event<'DefaultPaymentMethodChanged', Said<Readonly<{ pmId: string | null }>>>;

/** A page to add a payment method on was opened, and is done with. */
export type SetupSessionOpened = Event<'SetupSessionOpened', Said<Readonly<{ sessionId: string; expiresAt: IsoTime }>>>;
export type SetupSessionEnded = Event<
  'SetupSessionEnded',
  Said<Readonly<{ sessionId: string; status: 'complete' | 'expired' }>>
>;

/** Buy `amountMinor` cents' worth whenever the paid balance is below `threshold`. */
export type AutoTopOffConfigured = Event<
  'AutoTopOffConfigured',
  Said<Readonly<{ threshold: MicroText; amountMinor: number; mandateTextVersion: string }>>
>;
export type AutoTopOffDisabled = Event<'AutoTopOffDisabled', Said<Readonly<{ by: 'user' | 'system'; reason: string }>>>;

export type BillingProfileEvent =
  | StripeCustomerRequested
  | StripeCustomerLinked
  | StripeCustomerUnlinked
  | BillingDetailsChanged
  | PaymentMethodAttached
  | PaymentMethodDetached
  | DefaultPaymentMethodChanged
  | SetupSessionOpened
  | SetupSessionEnded
  | AutoTopOffConfigured
  | AutoTopOffDisabled;

/** Streams are `billingProfile-<userId>`. */
export const BILLING_PROFILE = 'billingProfile';

/** Which user a customer of the payment provider belongs to: the first claim wins. */
export type StripeCustomerClaimed = Event<'StripeCustomerClaimed', Said<object>>;

/** Streams are `stripeCustomer-<customerId>`. */
export const STRIPE_CUSTOMER = 'stripeCustomer';

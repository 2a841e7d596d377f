import { BILLING_PROFILE, type BillingProfileEvent } from '../../src/events/billing-profile/billing-profile.events.ts';
import { billingProfileUpcasters } from '../../src/events/billing-profile/billing-profile.upcasters.ts';
import { ERASURE, type SubjectKeyDestroyed } from '../../src/events/erasure/erasure.events.ts';
import { microOf } from '../../src/kernel/money.ts';
import { defineProjection, type RowOp } from '../../src/kernel/projection.ts';
import type { Row, Value } from '../../src/kernel/table.ts';
import { billingProfileTable, paymentMethodTable, setupSessionTable } from './billing-profile.table.ts';

const now = ({ userId }: BillingProfileEvent['data'], set: Row): RowOp => ({
  op: 'set',
  table: billingProfileTable,
  key: { user_id: userId },
  set,
});

const setup = (sessionId: string, userId: string, status: string): RowOp => ({
  op: 'set',
  table: setupSessionTable,
  key: { session_id: sessionId },
  set: { user_id: userId, status },
});

/** How each user pays, as far as it has to be shown. */
export const billingProfileProjection = defineProjection<BillingProfileEvent | SubjectKeyDestroyed>({
  name: 'billing-profile',
  version: 3,
  tables: [billingProfileTable, paymentMethodTable, setupSessionTable],
  streamPrefixes: [`${BILLING_PROFILE}-`, `${ERASURE}-`],
  upcasters: billingProfileUpcasters,
  on: {
    StripeCustomerLinked: ({ data }) => [now(data, { customer_id: data.customerId })],
    StripeCustomerUnlinked: ({ data }) => [
      now(data, {
        customer_id: null,
        has_name: false,
        address_complete: false,
        details: null,
        default_method_id: null,
      }),
    ],
    BillingDetailsChanged: ({ data, opened }) => [
      now(data, {
        has_name: data.hasName,
        address_complete: data.addressComplete,
        details: (opened['details'] ?? null) as Value,
      }),
    ],
    PaymentMethodAttached: ({ data, opened }) => [
      {
        op: 'set',
        table: paymentMethodTable,
        key: { method_id: data.pmId },
        set: {
          user_id: data.userId,
          kind: data.kind,
          card: (opened['card'] ?? null) as Value,
          created_at: data.created,
        },
      },
    ],
    PaymentMethodDetached: ({ data }) => [{ op: 'remove', table: paymentMethodTable, key: { method_id: data.pmId } }],
    DefaultPaymentMethodChanged: ({ data }) => [now(data, { default_method_id: data.pmId })],
    SetupSessionOpened: ({ data }) => [setup(data.sessionId, data.userId, 'open')],
    SetupSessionEnded: ({ data }) => [setup(data.sessionId, data.userId, data.status)],
    AutoTopOffConfigured: ({ data }) => [
      now(data, {
        top_off_enabled: true,
        top_off_threshold_micro: microOf(data.threshold),
        top_off_amount_minor: BigInt(data.amountMinor),
        top_off_ended_by: null,
        top_off_ended_why: null,
      }),
    ],
    AutoTopOffDisabled: ({ id, data }) => [
      now(data, {
        top_off_enabled: false,
        ...(data.by === 'system' ? { top_off_ended_by: id, top_off_ended_why: data.reason } : {}),
      }),
    ],
    // The customer is unlinked when the payment provider has deleted it, which may take longer.
    SubjectKeyDestroyed: ({ data }) => [
      { op: 'forget', table: billingProfileTable, of: { user_id: data.userId }, set: { details: null } },
      { op: 'forget', table: paymentMethodTable, of: { user_id: data.userId } },
    ],
  },
});

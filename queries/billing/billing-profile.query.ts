import { billingProfileTable, paymentMethodTable } from '../../projections/billing-profile/billing-profile.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';
import type { BillingDetails, CardFacts } from '../../src/kernel/payments.ts';

type MethodRow = Readonly<{ method_id: string; kind: string; card: CardFacts | null; created_at: string }>;
type ProfileRow = Readonly<{
  has_name: boolean;
  address_complete: boolean;
  details: BillingDetails | null;
  default_method_id: string | null;
  customer_id: string | null;
  top_off_enabled: boolean;
  top_off_threshold_micro: bigint | null;
  top_off_amount_minor: bigint | null;
  methods: readonly MethodRow[] | null;
}>;

export type PaymentMethodView = Readonly<{
  id: string;
  kind: string;
  card: CardFacts | null;
  created: string;
  isDefault: boolean;
}>;

/** How a user pays. `details` is null for somebody who is no customer. */
export type BillingProfileView = Readonly<{
  hasCustomer: boolean;
  hasName: boolean;
  addressComplete: boolean;
  details: BillingDetails | null;
  methods: readonly PaymentMethodView[];
  hasDefault: boolean;
  topOff: Readonly<{ enabled: boolean; thresholdMicro: bigint | null; amountMinor: bigint | null }>;
}>;

const NOBODY: BillingProfileView = {
  hasCustomer: false,
  hasName: false,
  addressComplete: false,
  details: null,
  methods: [],
  hasDefault: false,
  topOff: { enabled: false, thresholdMicro: null, amountMinor: null },
};

const view = (row: ProfileRow): BillingProfileView => {
  const methods = (row.methods ?? []).map((method) => ({
    id: method.method_id,
    kind: method.kind,
    card: method.card,
    created: method.created_at,
    isDefault: method.method_id === row.default_method_id,
  }));
  return {
    hasCustomer: row.customer_id !== null,
    hasName: row.has_name,
    addressComplete: row.address_complete,
    details: row.details,
    methods,
    hasDefault: methods.some(({ isDefault }) => isDefault),
    topOff: {
      enabled: row.top_off_enabled,
      thresholdMicro: row.top_off_threshold_micro,
      amountMinor: row.top_off_amount_minor,
    },
  };
};

/** How does this user pay? Payment methods newest first. */
export const billingProfile = (userId: string): Query<ProfileRow, BillingProfileView> => ({
  statement: sql`
    select profile.*, (
      select jsonb_agg(
        jsonb_build_object(
          'method_id', method.method_id, 'kind', method.kind, 'card', method.card, 'created_at', method.created_at
        ) order by method.created_at desc, method.method_id
      )
      from ${paymentMethodTable} method where method.user_id = profile.user_id
    ) as methods
    from ${billingProfileTable} profile where profile.user_id = ${userId}`,
  present: ([row]) => (row === undefined ? NOBODY : view(row)),
});

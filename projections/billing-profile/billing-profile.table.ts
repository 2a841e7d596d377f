import { defineTable } from '../../src/kernel/table.ts';

/** How each user pays. The details are null once the user's key is destroyed. */
export const billingProfileTable = defineTable({
  name: 'billing_profile',
  columns: {
    user_id: { type: 'uuid' },
    customer_id: { type: 'text', nullable: true },
    has_name: { type: 'boolean', default: 'false' },
    address_complete: { type: 'boolean', default: 'false' },
    details: { type: 'jsonb', nullable: true },
    default_method_id: { type: 'text', nullable: true },
    top_off_enabled: { type: 'boolean', default: 'false' },
    top_off_threshold_micro: { type: 'bigint', nullable: true },
    top_off_amount_minor: { type: 'bigint', nullable: true },
    /** The event that ended it without its user's doing, and why. */
    top_off_ended_by: { type: 'text', nullable: true },
    top_off_ended_why: { type: 'text', nullable: true },
  },
  key: ['user_id'],
  owner: 'user_id',
});

export const paymentMethodTable = defineTable({
  name: 'payment_method',
  columns: {
    method_id: { type: 'text' },
    user_id: { type: 'uuid' },
    kind: { type: 'text' },
    card: { type: 'jsonb', nullable: true },
    created_at: { type: 'timestamptz' },
  },
  key: ['method_id'],
  owner: 'user_id',
  indexes: [['user_id', 'created_at desc']],
});

/** Pages to add a payment method on. */
export const setupSessionTable = defineTable({
  name: 'setup_session',
  columns: { session_id: { type: 'text' }, user_id: { type: 'uuid' }, status: { type: 'text' } },
  key: ['session_id'],
  owner: 'user_id',
});

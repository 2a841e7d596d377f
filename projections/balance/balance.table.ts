import { defineTable } from '../../src/kernel/table.ts';

/** One row a user: the account right after its last event. Promo counts lots that have expired but are not swept yet. */
export const creditBalanceTable = defineTable({
  name: 'credit_balance',
  columns: {
    user_id: { type: 'uuid' },
    paid_micro: { type: 'bigint', default: '0' },
    promo_micro: { type: 'bigint', default: '0' },
    held_micro: { type: 'bigint', default: '0' },
    shortfall_micro: { type: 'bigint', default: '0' },
    /** How many blocks are in force; 0: the user may spend. */
    blocks: { type: 'bigint', default: '0' },
    /** When the account was closed; null: it is in use. */
    closed_at: { type: 'timestamptz', nullable: true },
    /** The month (`2026-01`) with events that is not closed yet; null: there is none. */
    book_month: { type: 'text', nullable: true },
    signup_grant_micro: { type: 'bigint', default: '0' },
    signup_granted_at: { type: 'timestamptz', nullable: true },
    signup_expires_at: { type: 'timestamptz', nullable: true },
    created_at: { type: 'timestamptz', nullable: true },
    updated_at: { type: 'timestamptz', nullable: true },
    revision: { type: 'bigint', default: '0' },
  },
  key: ['user_id'],
  owner: 'user_id',
});

/** Money of one origin. granted + added = remaining + held + spent + expired + taken, after every event. */
export const creditLotTable = defineTable({
  name: 'credit_lot',
  columns: {
    user_id: { type: 'uuid' },
    lot_id: { type: 'text' },
    kind: { type: 'text', nullable: true },
    granted_micro: { type: 'bigint', default: '0' },
    remaining_micro: { type: 'bigint', default: '0' },
    held_micro: { type: 'bigint', default: '0' },
    spent_micro: { type: 'bigint', default: '0' },
    expired_micro: { type: 'bigint', default: '0' },
    /** Clawed back, taken by an adjustment, used to pay what was owed, or given up at the end of the account. */
    taken_micro: { type: 'bigint', default: '0' },
    /** Came back after a clawback was reversed. */
    added_micro: { type: 'bigint', default: '0' },
    /** What it was bought with; null: it was given. */
    purchase_id: { type: 'text', nullable: true },
    granted_at: { type: 'timestamptz', nullable: true },
    expires_at: { type: 'timestamptz', nullable: true },
  },
  key: ['user_id', 'lot_id'],
  owner: 'user_id',
});

/** The holds that have not ended. */
export const openHoldTable = defineTable({
  name: 'open_hold',
  columns: {
    user_id: { type: 'uuid' },
    reservation_id: { type: 'text' },
    kind: { type: 'text', nullable: true },
    task_type: { type: 'text', nullable: true },
    model_id: { type: 'text', nullable: true },
    held_micro: { type: 'bigint', default: '0' },
    held_since: { type: 'timestamptz', nullable: true },
    lease_until: { type: 'timestamptz', nullable: true },
  },
  key: ['user_id', 'reservation_id'],
  owner: 'user_id',
  indexes: [['lease_until']],
});

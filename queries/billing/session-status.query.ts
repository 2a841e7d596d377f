import { setupSessionTable } from '../../projections/billing-profile/billing-profile.table.ts';
import { purchaseTable } from '../../projections/purchases/purchases.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type Row = Readonly<{ kind: 'payment' | 'setup'; state: string; purchase_id: string | null }>;

/** How a page stands, in the payment provider's words, and `processing`: paid, but not yet credited. */
export type SessionStatus = Readonly<{
  status: 'open' | 'complete' | 'expired';
  paymentStatus: 'paid' | 'unpaid' | 'no_payment_required' | 'processing';
}>;

const PAYMENT: Readonly<Record<string, SessionStatus | undefined>> = {
  open: { status: 'open', paymentStatus: 'unpaid' },
  failed: { status: 'open', paymentStatus: 'unpaid' },
  pending: { status: 'complete', paymentStatus: 'unpaid' },
  paid: { status: 'complete', paymentStatus: 'processing' },
  mismatch: { status: 'complete', paymentStatus: 'processing' },
  fulfilled: { status: 'complete', paymentStatus: 'paid' },
  closed: { status: 'expired', paymentStatus: 'unpaid' },
};

/** A page with the purchase that it is for; null: none. `isOpen`: there may be news of it. */
export type SessionView = SessionStatus & Readonly<{ purchaseId: string | null; isOpen: boolean }>;

/** What may still become something else. */
const OPEN = ['open', 'failed', 'pending', 'paid'];

const SETUP: Readonly<Record<string, SessionStatus | undefined>> = {
  complete: { status: 'complete', paymentStatus: 'no_payment_required' },
  expired: { status: 'expired', paymentStatus: 'unpaid' },
};

/** How does this user's page stand? Undefined for a page that is not theirs. */
export const sessionStatus = (userId: string, sessionId: string): Query<Row, SessionView | undefined> => ({
  statement: sql`
    select 'payment' as kind, state, purchase_id from ${purchaseTable} where session_id = ${sessionId} and user_id = ${userId}
    union all
    select 'setup', status, null from ${setupSessionTable} where session_id = ${sessionId} and user_id = ${userId}`,
  present: ([row]) => {
    if (row === undefined) return undefined;
    const known = (row.kind === 'payment' ? PAYMENT : SETUP)[row.state];
    const status: SessionStatus = known ?? { status: 'open', paymentStatus: 'unpaid' };
    return { ...status, purchaseId: row.purchase_id, isOpen: OPEN.includes(row.state) };
  },
});

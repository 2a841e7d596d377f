import { setupSessionTable } from '../../projections/billing-profile/billing-profile.table.ts';
import { purchaseTable } from '../../projections/purchases/purchases.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type Row = Readonly<{ kind: 'payment' | 'setup'; state: string }>;

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

const SETUP: Readonly<Record<string, SessionStatus | undefined>> = {
  complete: { status: 'complete', paymentStatus: 'no_payment_required' },
  expired: { status: 'expired', paymentStatus: 'unpaid' },
};

/** How does this user's page stand? Undefined for a page that is not theirs. */
export const sessionStatus = (userId: string, sessionId: string): Query<Row, SessionStatus | undefined> => ({
  statement: sql`
    select 'payment' as kind, state from ${purchaseTable} where session_id = ${sessionId} and user_id = ${userId}
    union all
    select 'setup', status from ${setupSessionTable} where session_id = ${sessionId} and user_id = ${userId}`,
  present: ([row]) => {
    if (row === undefined) return undefined;
    return (row.kind === 'payment' ? PAYMENT : SETUP)[row.state] ?? { status: 'open', paymentStatus: 'unpaid' };
  },
});

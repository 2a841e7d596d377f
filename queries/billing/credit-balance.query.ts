import { creditBalanceTable, creditLotTable } from '../../projections/balance/balance.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';

type BalanceRow = Readonly<{
  paid: bigint;
  promo: bigint;
  held_micro: bigint;
  shortfall_micro: bigint;
  blocks: bigint;
  closed_at: string | null;
  signup_grant_micro: bigint;
  signup_granted_at: string | null;
  promo_expires_at: string | null;
  signup_expires_at: string | null;
  created_at: string | null;
  updated_at: string | null;
}>;

/** A user's money at an instant; promo counts what has not expired by then. Instants are ISO. */
export type CreditBalance = Readonly<{
  paid: MicroUsd;
  promo: MicroUsd;
  held: MicroUsd;
  shortfall: MicroUsd;
  /** Spending is blocked, or the account is closed. */
  blocked: boolean;
  signupGrant: MicroUsd;
  signupGrantedAt: string | null;
  /** When the next free credit expires; of a used-up or expired grant, when it would have. */
  promoExpiresAt: string | null;
  signupExpiresAt: string | null;
  createdAt: string | null;
  updatedAt: string | null;
}>;

const NOTHING: CreditBalance = {
  paid: 0n,
  promo: 0n,
  held: 0n,
  shortfall: 0n,
  blocked: false,
  signupGrant: 0n,
  signupGrantedAt: null,
  promoExpiresAt: null,
  signupExpiresAt: null,
  createdAt: null,
  updatedAt: null,
};

const view = (row: BalanceRow): CreditBalance => ({
  paid: row.paid,
  promo: row.promo,
  held: row.held_micro,
  shortfall: row.shortfall_micro,
  blocked: row.blocks > 0n || row.closed_at !== null,
  signupGrant: row.signup_grant_micro,
  signupGrantedAt: row.signup_granted_at,
  promoExpiresAt: row.promo_expires_at ?? row.signup_expires_at,
  signupExpiresAt: row.signup_expires_at,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

/** What can this user spend at `now` (ISO)? All zero for a user without an account. */
export const creditBalance = (userId: string, now: string): Query<BalanceRow, CreditBalance> => ({
  statement: sql`
    select coalesce(lots.paid, 0)::bigint as paid, coalesce(lots.promo, 0)::bigint as promo,
           lots.promo_expires_at, balance.held_micro, balance.shortfall_micro, balance.blocks,
           balance.closed_at, balance.signup_grant_micro,
           balance.signup_granted_at, balance.signup_expires_at, balance.created_at, balance.updated_at
    from ${creditBalanceTable} balance
    left join lateral (
      select sum(remaining_micro) filter (where kind = 'paid') as paid,
             sum(remaining_micro) filter (where kind = 'promo' and expires_at > ${now}::timestamptz) as promo,
             min(expires_at) filter (
               where kind = 'promo' and remaining_micro > 0 and expires_at > ${now}::timestamptz
             ) as promo_expires_at
      from ${creditLotTable}
      where user_id = balance.user_id
    ) lots on true
    where balance.user_id = ${userId}`,
  present: ([row]) => (row === undefined ? NOTHING : view(row)),
});

import { apiKeySpendingTable, apiKeyTable } from '../../projections/api-keys/api-keys.table.ts';
import { periodOf, type Budget, type BudgetPeriod } from '../../src/kernel/budget.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type KeyRow = Readonly<{
  key_id: string;
  name: string | null;
  last_four: string;
  scopes: readonly string[];
  budget_micro: bigint | null;
  budget_period: BudgetPeriod | null;
  created_at: IsoTime;
  expires_at: IsoTime | null;
  requests: bigint;
  in_day: bigint;
  in_month: bigint;
  in_total: bigint;
  last_used_at: IsoTime | null;
}>;

/** A key that has not been revoked, and what was charged with it. */
export type ListedApiKey = Readonly<{
  keyId: string;
  name: string;
  lastFour: string;
  scopes: readonly string[];
  budget: Budget | null;
  createdAt: IsoTime;
  expiresAt: IsoTime | null;
  requests: number;
  /** What was charged in the running day and month (UTC), and ever. */
  spent: Readonly<Record<BudgetPeriod, MicroUsd>>;
  lastUsedAt: IsoTime | null;
}>;

const budgetOf = ({ budget_micro, budget_period }: KeyRow): Budget | null =>
  budget_micro === null || budget_period === null ? null : { limit: budget_micro, period: budget_period };

const view = (row: KeyRow): ListedApiKey => ({
  keyId: row.key_id,
  name: row.name ?? '',
  lastFour: row.last_four,
  scopes: row.scopes,
  budget: budgetOf(row),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  requests: Number(row.requests),
  spent: { day: row.in_day, month: row.in_month, total: row.in_total },
  lastUsedAt: row.last_used_at,
});

/** Which API keys does this user have that are not revoked at `now`, and what was charged with each? Newest first. */
export const listApiKeys = (userId: string, now: IsoTime): Query<KeyRow, readonly ListedApiKey[]> => ({
  statement: sql`
    select k.key_id, k.name, k.last_four, k.scopes, k.budget_micro, k.budget_period, k.created_at, k.expires_at,
           coalesce(sum(s.requests), 0)::bigint as requests,
           coalesce(sum(s.charged_micro) filter (where s.day = ${periodOf(now, 'day')}), 0)::bigint as in_day,
           coalesce(sum(s.charged_micro) filter (where left(s.day, 7) = ${periodOf(now, 'month')}), 0)::bigint as in_month,
           coalesce(sum(s.charged_micro), 0)::bigint as in_total,
           max(s.last_used_at) as last_used_at
    from ${apiKeyTable} k
    left join ${apiKeySpendingTable} s on s.user_id = k.user_id and s.key_id = k.key_id
    where k.user_id = ${userId} and k.revoked_at is null
    group by k.key_id
    order by k.created_at desc, k.key_id`,
  present: (rows) => rows.map(view),
});

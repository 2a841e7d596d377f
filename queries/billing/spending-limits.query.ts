import { spendingLimitTable } from '../../projections/spending-limits/spending-limits.table.ts';
import { usageDailyTable } from '../../projections/usage/usage.table.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type LimitRow = Readonly<{
  today: bigint;
  this_month: bigint;
  set_by: 'user' | 'admin' | null;
  day_soft_micro: bigint | null;
  day_hard_micro: bigint | null;
  month_soft_micro: bigint | null;
  month_hard_micro: bigint | null;
  low_balance_micro: bigint | null;
}>;

/** Limits for each day and month; null: none. */
export type Limits = Readonly<{
  daySoft: MicroUsd | null;
  dayHard: MicroUsd | null;
  monthSoft: MicroUsd | null;
  monthHard: MicroUsd | null;
  lowBalance: MicroUsd | null;
}>;

/** What is limited, by whom, and what was spent in the day and the month (UTC) of the question. */
export type SpendingLimitsView = Readonly<{ user: Limits; admin: Limits; today: MicroUsd; thisMonth: MicroUsd }>;

const limits = (row: LimitRow | undefined): Limits => ({
  daySoft: row?.day_soft_micro ?? null,
  dayHard: row?.day_hard_micro ?? null,
  monthSoft: row?.month_soft_micro ?? null,
  monthHard: row?.month_hard_micro ?? null,
  lowBalance: row?.low_balance_micro ?? null,
});

/** What may this user spend, and what was spent, at `now` (ISO)? */
export const spendingLimits = (userId: string, now: string): Query<LimitRow, SpendingLimitsView> => {
  const [day, month] = [now.slice(0, 10), now.slice(0, 7)];
  return {
    statement: sql`
    with spent as (
      select coalesce(sum(charged_micro) filter (where day = ${day}), 0)::bigint as today,
             coalesce(sum(charged_micro), 0)::bigint as this_month
      from ${usageDailyTable}
      where user_id = ${userId} and day between ${`${month}-01`} and ${`${month}-31`}
    )
    select spent.today, spent.this_month, set_by, day_soft_micro, day_hard_micro, month_soft_micro, month_hard_micro,
           low_balance_micro
    from spent left join ${spendingLimitTable} own on own.user_id = ${userId}`,
    present: (rows) => ({
      user: limits(rows.find(({ set_by: by }) => by === 'user')),
      admin: limits(rows.find(({ set_by: by }) => by === 'admin')),
      today: rows[0]?.today ?? 0n,
      thisMonth: rows[0]?.this_month ?? 0n,
    }),
  };
};

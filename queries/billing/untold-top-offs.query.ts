import { billingProfileTable } from '../../projections/billing-profile/billing-profile.table.ts';
import { notificationsTable } from '../../projections/notifications/notifications.table.ts';
import { topOffTable } from '../../projections/top-off/top-off.table.ts';
import { usersTable } from '../../projections/users/users.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

type Row = Readonly<{ user_id: string; ref: string; code: string }>;

/** For whom has automatic buying ended without their doing, who were not told? For the system role. */
export const untoldTopOffs = (
  limit: number,
): Query<Row, readonly Readonly<{ userId: string; ref: string; code: string }>[]> => ({
  statement: sql`
    select ended.user_id, ended.ref, ended.code from (
      select user_id, suspended_by as ref, coalesce(last_code, '') as code from ${topOffTable}
      where suspended and suspended_by is not null
      union all
      select user_id, top_off_ended_by, coalesce(top_off_ended_why, '') from ${billingProfileTable}
      where top_off_ended_by is not null and top_off_ended_why <> 'erasure'
    ) ended
    join ${usersTable} registered on registered.id = ended.user_id
    where not exists (
      select from ${notificationsTable} told
      where told.user_id = ended.user_id and told.kind = 'payment' and told.job_id = ended.ref
    )
    limit ${limit}`,
  present: (rows) => rows.map(({ user_id: userId, ref, code }) => ({ userId, ref, code })),
});

import { notificationsTable } from '../../projections/notifications/notifications.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';

/** Which notifications, asked for before an ISO instant, does some device still wait for? The oldest first. */
export const unfinishedNotifications = (
  before: string,
  limit: number,
): Query<Readonly<{ notification_id: string }>, readonly string[]> => ({
  statement: sql`
    select notification_id from ${notificationsTable}
    where waiting > 0 and requested_at < ${before}
    order by requested_at limit ${limit}`,
  present: (rows) => rows.map(({ notification_id }) => notification_id),
});

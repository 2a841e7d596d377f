import { notificationsTable } from '../../projections/notifications/notifications.table.ts';
import { sql, type Query } from '../../src/kernel/query.ts';
import type { Sealed } from '../../src/kernel/vault.ts';

type Row = Readonly<{
  notification_id: string;
  kind: string;
  job_id: string | null;
  content: Sealed;
  waiting: bigint;
  delivered: bigint;
  failed: bigint;
  last_failure: string | null;
  requested_at: string;
}>;

/** `no_device`: there was none to send it to. */
export type NotificationStatus = 'sending' | 'delivered' | 'failed' | 'no_device';

/** A notification as its user sees it. `requestedAt` is an ISO instant with six decimals. */
export type ListedNotification = Readonly<{
  notificationId: string;
  kind: string;
  jobId: string | null;
  /** Title and body under the user's key. */
  content: Sealed;
  status: NotificationStatus;
  sentCount: number;
  failedCount: number;
  waitingCount: number;
  /** Why the last device that did not get it did not. */
  lastFailure: string | null;
  requestedAt: string;
}>;

const statusOf = ({ waiting, delivered, failed }: Row): NotificationStatus => {
  if (waiting > 0n) return 'sending';
  if (delivered > 0n) return 'delivered';
  return failed > 0n ? 'failed' : 'no_device';
};

const view = (row: Row): ListedNotification => ({
  notificationId: row.notification_id,
  kind: row.kind,
  jobId: row.job_id,
  content: row.content,
  status: statusOf(row),
  sentCount: Number(row.delivered),
  failedCount: Number(row.failed),
  waitingCount: Number(row.waiting),
  lastFailure: row.last_failure,
  requestedAt: row.requested_at,
});

/** Where a page ends: at an ISO instant, and, of what was asked for at that very instant, after this notification. */
export type NotificationPlace = Readonly<{ at: string; notificationId: string | undefined }>;

/** What was this user told, the latest first? Only what shows; `before` undefined: from the latest on. */
export const listNotifications = (
  userId: string,
  { before, limit }: Readonly<{ before: NotificationPlace | undefined; limit: number }>,
): Query<Row, readonly ListedNotification[]> => ({
  statement: sql`
    select notification_id, kind, job_id, content, waiting, delivered, failed, last_failure, requested_at
    from ${notificationsTable}
    where user_id = ${userId} and kind in ('job-completed', 'job-failed', 'payment', 'test')
      and (requested_at < coalesce(${before?.at ?? null}::timestamptz, 'infinity')
        or (requested_at = ${before?.at ?? null}::timestamptz and notification_id > ${before?.notificationId ?? null}::uuid))
    order by requested_at desc, notification_id
    limit ${limit}`,
  present: (rows) => rows.map(view),
});

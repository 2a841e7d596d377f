import { NOTIFICATION, type NotificationEvent } from '../../src/events/notification/notification.events.ts';
import { notificationUpcasters } from '../../src/events/notification/notification.upcasters.ts';
import { defineProjection } from '../../src/kernel/projection.ts';
import { notificationsTable as table } from './notifications.table.ts';

const keyOf = ({ notificationId }: Readonly<{ notificationId: string }>) => ({ notification_id: notificationId });

/** The notifications of each user. */
export const notificationsProjection = defineProjection<NotificationEvent>({
  name: 'notifications',
  version: 2,
  tables: [table],
  streamPrefixes: [`${NOTIFICATION}-`],
  upcasters: notificationUpcasters,
  on: {
    NotificationRequested: ({ data }) => {
      const set = {
        user_id: data.userId,
        kind: data.kind,
        job_id: data.jobId,
        content: data.content,
        requested_at: data.at,
      };
      return [{ op: 'add', table, key: keyOf(data), add: { waiting: BigInt(data.deviceIds.length) }, set }];
    },
    NotificationDelivered: ({ data }) => [{ op: 'add', table, key: keyOf(data), add: { waiting: -1n, delivered: 1n } }],
    NotificationFailed: ({ data }) => [
      {
        op: 'add',
        table,
        key: keyOf(data),
        add: { waiting: -1n, failed: 1n },
        set: { last_failure: data.reason },
      },
    ],
  },
});

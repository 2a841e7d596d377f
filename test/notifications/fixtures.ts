import type { NotificationCommand } from '../../commands/notifications/notifications.commands.ts';
import type { NotificationEvent, NotificationKind } from '../../src/events/notification/notification.events.ts';
import { ADA, secret, T0 } from '../devices/fixtures.ts';

export const NOTIFICATION_ID = '5f0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
export const PHONE = '6f0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';
export const TABLET = '7f0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';

type Requested = Extract<NotificationEvent, { type: 'NotificationRequested' }>;
type Request = Extract<NotificationCommand, { type: 'RequestNotification' }>;

const about = (kind: NotificationKind = 'job-completed') => ({
  notificationId: NOTIFICATION_ID,
  userId: ADA,
  kind,
  jobId: 'job-1',
});

/** Ada's job is done, to be told to her phone; `change` replaces members. */
export const request = (change: Partial<Request['data']> = {}): Request => ({
  type: 'RequestNotification',
  key: 'request',
  data: { ...about(), deviceIds: [PHONE], content: secret('content').sealed, at: T0, ...change },
});

export const requested = (change: Partial<Requested['data']> = {}): Requested => ({
  type: 'NotificationRequested',
  data: { ...request().data, since: T0, ...change },
});

export const delivered = (deviceId: string, at: string, kind?: NotificationKind): NotificationEvent => ({
  type: 'NotificationDelivered',
  data: { ...about(kind), deviceId, attempts: 1, at },
});

export const failed = (
  deviceId: string,
  at: string,
  reason: Extract<NotificationEvent, { type: 'NotificationFailed' }>['data']['reason'] = 'unavailable',
  attempts = 5,
  detail: string | null = null,
): NotificationEvent => ({
  type: 'NotificationFailed',
  data: { ...about(), deviceId, attempts, reason, detail, at },
});

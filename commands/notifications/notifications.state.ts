import type { NotificationKind } from '../../src/events/notification/notification.events.ts';
import type { IsoTime } from '../../src/kernel/message.ts';
import type { Sealed } from '../../src/kernel/vault.ts';

/** How far it is with one device. */
export type OnDevice = 'waiting' | 'delivered' | 'failed';

export type RequestedNotification = Readonly<{
  status: 'requested';
  userId: string;
  kind: NotificationKind;
  jobId: string | null;
  /** When the first of the requests was made that count as one. */
  since: IsoTime;
  requestedAt: IsoTime;
  content: Sealed;
  devices: Readonly<Record<string, OnDevice>>;
}>;

export type Notification = Readonly<{ status: 'none' }> | RequestedNotification;

/** Silent kinds show nothing: they only wake the app. */
export const isSilent = (kind: NotificationKind): boolean => kind === 'job-progress' || kind === 'desktop-online';

const MINUTE_MS = 60_000;

/**
 * Requests for the same within this many milliseconds are one. A client repeats what it does not know to have arrived;
 * progress is told at a pace that the push service bears.
 */
export const ONE_WITHIN_MS: Readonly<Record<NotificationKind, number>> = {
  'job-completed': 10 * MINUTE_MS,
  'job-failed': 10 * MINUTE_MS,
  payment: 24 * 60 * MINUTE_MS,
  test: 10 * MINUTE_MS,
  'job-progress': 15_000,
  'desktop-online': 5 * MINUTE_MS,
};

/** After this many milliseconds it is of no use to anybody: the push service drops it, and so do we. */
export const USEFUL_FOR_MS: Readonly<Record<NotificationKind, number>> = {
  'job-completed': 12 * 60 * MINUTE_MS,
  'job-failed': 12 * 60 * MINUTE_MS,
  payment: 24 * 60 * MINUTE_MS,
  test: 10 * MINUTE_MS,
  'job-progress': 2 * MINUTE_MS,
  'desktop-online': 5 * MINUTE_MS,
};

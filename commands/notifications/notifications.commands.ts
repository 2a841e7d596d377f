import type { FailureReason, NotificationKind } from '../../src/events/notification/notification.events.ts';
import type { Command, IsoTime } from '../../src/kernel/message.ts';
import type { Sealed } from '../../src/kernel/vault.ts';

type About<D> = D & Readonly<{ notificationId: string; at: IsoTime }>;

/** To be sent to these devices, unless that has just been asked for. */
export type RequestNotification = Command<
  'RequestNotification',
  About<
    Readonly<{
      userId: string;
      kind: NotificationKind;
      jobId: string | null;
      deviceIds: readonly string[];
      content: Sealed;
    }>
  >
>;

/** What became of it on one device. */
export type SettleDevice = Command<
  'SettleDevice',
  About<
    Readonly<{ deviceId: string; attempts: number }> &
      (
        | Readonly<{ outcome: 'delivered' }>
        | Readonly<{ outcome: 'failed'; reason: FailureReason; detail: string | null }>
      )
  >
>;

export type NotificationCommand = RequestNotification | SettleDevice;

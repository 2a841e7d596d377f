import type { Event, IsoTime } from '../../kernel/message.ts';
import type { Sealed } from '../../kernel/vault.ts';

/** What is told. The last two are silent: the app gets them, its user sees nothing. */
export type NotificationKind = 'job-completed' | 'job-failed' | 'payment' | 'test' | 'job-progress' | 'desktop-online';

/** What goes to the phone, as it is sealed in `content`: it fits into one push. */
export type NotificationContent = Readonly<{
  title: string;
  body: string;
  /** Members beside `aps`. */
  data: Readonly<Record<string, unknown>>;
}>;

/**
 * Why a device did not get it. `token_gone`: its token reaches nothing. `refused`: the push service will never take it.
 * `unavailable`: the push service did not take it however often it was asked. `superseded`: a newer one took its place.
 * `expired`: it was of no use any more when it could have been sent. `unreadable`: the key of its content is destroyed.
 */
export type FailureReason = 'token_gone' | 'refused' | 'unavailable' | 'superseded' | 'expired' | 'unreadable';

type Said<D> = D &
  Readonly<{
    notificationId: string;
    userId: string;
    kind: NotificationKind;
    /** Null for what is about no job; of a `payment`, what ended it. */
    jobId: string | null;
    at: IsoTime;
  }>;

/** To be sent to these devices; none, when its user has none that can be reached. */
type NotificationRequested = Event<
  'NotificationRequested',
  Said<
    Readonly<{
      deviceIds: readonly string[];
      /** When the first of the requests was made that count as one. */
      since: IsoTime;
      content: Sealed;
    }>
  >
>;

/** The push service has taken it for this device. */
type NotificationDelivered = Event<
  'NotificationDelivered',
  Said<Readonly<{ deviceId: string; /** How often it was tried. */ attempts: number }>>
>;

/** It will not reach this device. */
type NotificationFailed = Event<
  'NotificationFailed',
  Said<
    Readonly<{
      deviceId: string;
      attempts: number;
      reason: FailureReason;
      /** The push service's own word, such as `BadDeviceToken`; null without one. */
      detail: string | null;
    }>
  >
>;

export type NotificationEvent = NotificationRequested | NotificationDelivered | NotificationFailed;

/** Streams are `notification-<id>`; the id follows from user, kind and job. */
export const NOTIFICATION = 'notification';

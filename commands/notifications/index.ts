import { NOTIFICATION, type NotificationEvent } from '../../src/events/notification/notification.events.ts';
import { notificationUpcasters } from '../../src/events/notification/notification.upcasters.ts';
import type { Aggregate, SnapshotCodec } from '../../src/kernel/aggregate.ts';
import type { NotificationCommand } from './notifications.commands.ts';
import { notificationDecider } from './notifications.decider.ts';
import type { Notification } from './notifications.state.ts';

/** The progress of a long job is told over and over on one stream; the state is plain JSON. */
const notificationSnapshot: SnapshotCodec<Notification> = {
  version: 1,
  every: 200,
  toJson: (state) => state,
  fromJson: (json) => json as Notification,
};

/** What is told about one job in one way, one stream each. */
export const notification: Aggregate<Notification, NotificationCommand, NotificationEvent> = {
  category: NOTIFICATION,
  decider: notificationDecider,
  upcasters: notificationUpcasters,
  snapshot: notificationSnapshot,
};

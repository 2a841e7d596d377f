import type { Upcasters } from '../../kernel/upcasting.ts';
import type { NotificationEvent } from './notification.events.ts';

/** Every event of a notification is still in its first shape. */
export const notificationUpcasters: Upcasters<NotificationEvent> = {};

import { z } from 'zod';
import type { Reached } from '../../../../commands/notifications/notifier.ts';
import { json, type Reply } from '../../endpoint.ts';
import { eitherSpelling } from '../../either-spelling.ts';
import { isPlain } from '../../plain-text.ts';

/** Texts may be of any length: what does not fit into a push is cut, for an error would help nobody. */
const members = z.object({
  jobId: z.string().trim().min(1).max(200).refine(isPlain, 'must be plain text'),
  title: z.string(),
  body: z.string(),
  customData: z.record(z.string(), z.unknown()).nullish(),
});

export type NotificationBody = z.output<typeof members>;

/** What a desktop tells about a job. */
export const notificationBody = eitherSpelling<NotificationBody>(members);

const messageOf = ({ configured, sent, failed, waiting }: Reached): string => {
  if (!configured) return 'Push notifications are not configured on this server';
  const devices = sent + failed + waiting;
  if (devices === 0) return 'There is no device that can be notified';
  const still = waiting === 0 ? '' : `; ${waiting} still being tried`;
  return `Sent to ${sent} of ${devices} ${devices === 1 ? 'device' : 'devices'}${still}`;
};

/** A device that has not got it by now counts as failed, though it may still get it. */
export const reachedReply = (reached: Reached): Reply =>
  json(200, {
    success: true,
    sentCount: reached.sent,
    failedCount: reached.failed + reached.waiting,
    message: messageOf(reached),
  });

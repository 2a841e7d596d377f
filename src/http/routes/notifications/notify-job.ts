import type { Notifier } from '../../../../commands/notifications/notifier.ts';
import { userEndpoint, type Call, type Endpoint } from '../../endpoint.ts';
import { notificationBody, reachedReply, type NotificationBody } from './notification-body.ts';

type Deps = Readonly<{ notifier: Pick<Notifier, 'notify'> }>;

/** A desktop tells its user's other devices about a job. */
export const notifyJob = ({ notifier }: Deps, kind: 'job-completed' | 'job-failed' | 'job-progress'): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: `/api/notifications/${kind}`,
    limit: 'write',
    body: notificationBody,
    handle: async ({ body, cause }: Call<NotificationBody, undefined>, { userId }) => {
      const told = { title: body.title, body: body.body, data: body.customData ?? {} };
      return reachedReply(await notifier.notify({ userId, kind, jobId: body.jobId, told }, cause));
    },
  });

import type { Notifier } from '../../../../commands/notifications/notifier.ts';
import { userEndpoint, type Endpoint } from '../../endpoint.ts';
import { reachedReply } from './notification-body.ts';

type Deps = Readonly<{ notifier: Pick<Notifier, 'notify'> }>;

const TEST = { title: 'Test notification', body: 'Notifications reach this device.', data: {} };

/** Shows something on the user's devices, to see whether it gets there. Every call is a notification of its own. */
export const notifyTest = ({ notifier }: Deps): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/notifications/test',
    limit: 'write',
    handle: async ({ cause }, { userId }) =>
      reachedReply(await notifier.notify({ userId, kind: 'test', jobId: null, told: TEST }, cause)),
  });

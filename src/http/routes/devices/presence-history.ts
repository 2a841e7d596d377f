import { devicePresenceHistory } from '../../../../queries/devices/device-presence-history.query.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { uuidParams } from '../../path-params.ts';

type Deps = Readonly<{ queries: Pick<QueryRunner, 'asUser'> }>;

/** When one of the user's devices came and went in the last month, also before it was removed. */
export const presenceHistory = ({ queries }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/devices/:deviceId/presence',
    limit: 'read',
    params: uuidParams('deviceId'),
    handle: async ({ params }, { userId }) => {
      const deviceId = params['deviceId'] ?? '';
      const changes = await queries.asUser(userId, devicePresenceHistory(userId, deviceId));
      return json(200, { deviceId, changes: changes.map(({ presence, at }) => ({ status: presence, since: at })) });
    },
  });

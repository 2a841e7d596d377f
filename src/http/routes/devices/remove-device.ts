import type { PushTokenDesk } from '../../../../commands/push-tokens/push-token-desk.ts';
import { empty, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { uuidParams } from '../../path-params.ts';

type Deps = Readonly<{ tokens: Pick<PushTokenDesk, 'removeDevice'> }>;

/** The user unlinks one of their devices; it may be registered again later, by anybody. */
export const removeDevice = ({ tokens }: Deps): Endpoint =>
  userEndpoint({
    method: 'DELETE',
    path: '/api/devices/:deviceId',
    limit: 'write',
    params: uuidParams('deviceId'),
    handle: async ({ params, cause }, { userId }) => {
      await tokens.removeDevice({ deviceId: params['deviceId'] ?? '', userId }, cause);
      return empty(204);
    },
  });

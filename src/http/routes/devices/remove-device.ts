import type { DeviceRegistry } from '../../../../commands/devices/device-registry.ts';
import { empty, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { uuidParams } from '../../path-params.ts';

type Deps = Readonly<{ registry: Pick<DeviceRegistry, 'remove'> }>;

/** The user unlinks one of their devices; it may be registered again later, by anybody. */
export const removeDevice = ({ registry }: Deps): Endpoint =>
  userEndpoint({
    method: 'DELETE',
    path: '/api/devices/:deviceId',
    limit: 'write',
    params: uuidParams('deviceId'),
    handle: async ({ params, cause }, { userId }) => {
      await registry.remove({ deviceId: params['deviceId'] ?? '', userId }, cause);
      return empty(204);
    },
  });

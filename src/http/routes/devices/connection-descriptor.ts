import { DomainError } from '../../../kernel/errors.ts';
import { userEndpoint, type Endpoint } from '../../endpoint.ts';
import { uuidParams } from '../../path-params.ts';

/** Devices meet through the relay only: there is no descriptor of a direct connection to hand out. */
export const connectionDescriptor = (): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/devices/:deviceId/connection-descriptor',
    limit: 'read',
    params: uuidParams('deviceId'),
    handle: () =>
      Promise.reject(
        new DomainError('not_found', 'this device offers no direct connection; reach it through /ws/device-link'),
      ),
  });

import { DomainError } from '../../../kernel/errors.ts';
import { publicEndpoint, type Endpoint } from '../../endpoint.ts';

/** What a plain GET is answered at a path that is for WebSockets alone: 426. */
export const socketOnly = (path: string): Endpoint =>
  publicEndpoint({
    method: 'GET',
    path,
    limit: 'socket',
    handle: () =>
      Promise.reject(
        new DomainError('websocket_required', 'this path is for WebSockets; connect with an Upgrade: websocket header'),
      ),
  });

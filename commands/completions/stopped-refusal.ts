import { DomainError } from '../../src/kernel/errors.ts';
import type { EndedBy } from '../../src/kernel/usage.ts';

/** How a request that was ended from outside is told to a client that still waits for its first byte. */
export const refusalOfStopped = (by: EndedBy): Error => {
  if (by === 'client') return Object.assign(new Error('the client has gone'), { name: 'AbortError' });
  return by === 'shutdown'
    ? new DomainError('service_unavailable', 'the server is going down; try again', { retryAfterSeconds: 2 })
    : new DomainError('bad_request', 'the request was cancelled');
};

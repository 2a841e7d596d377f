import type { Erasures } from '../../../../commands/erasure/erasures.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';

/**
 * DELETE /api/auth/account: the user is forgotten. What is told of it afterwards is done by then or will be, whatever
 * happens; a program's key cannot ask for it.
 */
export const deleteAccount = (erasures: Pick<Erasures, 'request'>): Endpoint =>
  userEndpoint({
    method: 'DELETE',
    path: '/api/auth/account',
    limit: 'write',
    handle: async ({ cause }, { userId }) => {
      await erasures.request(userId, cause);
      return json(200, { status: 'deleted' });
    },
  });

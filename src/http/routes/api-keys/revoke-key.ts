import type { KeyRing } from '../../../../commands/api-keys/key-ring.ts';
import { empty, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { uuidParams } from '../../path-params.ts';

/** DELETE /api/api-keys/:id: ends the key here at once, on other instances as soon as the news come. */
export const revokeKey = ({ ring }: Readonly<{ ring: Pick<KeyRing, 'revoke'> }>): Endpoint =>
  userEndpoint({
    method: 'DELETE',
    path: '/api/api-keys/:id',
    limit: 'write',
    params: uuidParams('id'),
    handle: async ({ params, cause }, { userId }) => {
      await ring.revoke({ keyId: params['id'] ?? '', userId }, cause);
      return empty(204);
    },
  });

import type { KeyRing } from '../../../../commands/api-keys/key-ring.ts';
import { prefixOf } from '../../../../commands/api-keys/key-text.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { idempotencyKey } from '../../idempotency-key.ts';
import { createBody } from './key-bodies.ts';
import { budgetView } from './key-views.ts';

/** POST /api/api-keys: makes a key. Its text is in this answer and can never be had again. */
export const createKey = ({ ring }: Readonly<{ ring: Pick<KeyRing, 'create'> }>): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/api-keys',
    limit: 'write',
    body: createBody,
    handle: async ({ body, cause, header }, { userId }) => {
      const wish = { ...body, idempotencyKey: idempotencyKey(header('idempotency-key')) };
      const { keyId, key } = await ring.create(userId, wish, cause);
      return json(201, {
        id: keyId,
        name: body.name,
        key: key.text,
        prefix: prefixOf(keyId),
        lastFour: key.lastFour,
        scopes: body.scopes,
        budget: budgetView(body.budget),
        createdAt: cause.at,
        expiresAt: body.expiresAt,
      });
    },
  });

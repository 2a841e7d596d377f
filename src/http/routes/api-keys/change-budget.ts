import type { KeyRing } from '../../../../commands/api-keys/key-ring.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { uuidParams } from '../../path-params.ts';
import { budgetBody } from './key-bodies.ts';
import { budgetView } from './key-views.ts';

/** PUT /api/api-keys/:id/budget: what the key may spend from the next request on; what was spent before counts. */
export const changeKeyBudget = ({ ring }: Readonly<{ ring: Pick<KeyRing, 'changeBudget'> }>): Endpoint =>
  userEndpoint({
    method: 'PUT',
    path: '/api/api-keys/:id/budget',
    limit: 'write',
    params: uuidParams('id'),
    body: budgetBody,
    handle: async ({ body, params, cause }, { userId }) => {
      const keyId = params['id'] ?? '';
      await ring.changeBudget({ keyId, userId }, body.budget, cause);
      return json(200, { id: keyId, budget: budgetView(body.budget) });
    },
  });

import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { uuidParams } from '../../path-params.ts';
import type { KnownRequests } from './known-requests.ts';

/** GET /api/llm/status/:requestId: how a request stands, running or ended, whichever instance ran it. */
export const requestStatus = ({ requests }: Readonly<{ requests: Pick<KnownRequests, 'standing'> }>): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/llm/status/:requestId',
    limit: 'polling',
    scope: 'chat',
    params: uuidParams('requestId'),
    handle: async ({ params }, { userId }) => {
      const requestId = params['requestId'] ?? '';
      const { provider, status, openaiResponseId, createdAt } = await requests.standing(requestId, userId);
      return json(200, { requestId, provider, status, openaiResponseId, createdAt });
    },
  });

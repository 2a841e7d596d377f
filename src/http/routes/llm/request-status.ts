import type { Completions } from '../../../../commands/completions/completions.ts';
import { isoOf } from '../../../kernel/clock.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { uuidParams } from '../../path-params.ts';
import { ownRequest } from './own-request.ts';

/** GET /api/llm/status/:requestId: a running request. One that has ended is a 404. */
export const requestStatus = ({ completions }: Readonly<{ completions: Completions }>): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/llm/status/:requestId',
    limit: 'polling',
    scope: 'chat',
    params: uuidParams('requestId'),
    handle: ({ params }, { userId }) => {
      const running = ownRequest(completions, params['requestId'] ?? '', userId);
      const { requestId, provider, startedAt } = running;
      return Promise.resolve(
        json(200, {
          requestId,
          provider,
          status: 'active',
          openaiResponseId: provider === 'openai' ? running.upstreamId() : null,
          createdAt: isoOf(startedAt),
        }),
      );
    },
  });

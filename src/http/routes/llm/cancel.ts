import { z } from 'zod';
import type { Completions } from '../../../../commands/completions/completions.ts';
import { isUuid } from '../../../kernel/ids.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { ownRequest } from './own-request.ts';

const body = z.object({ requestId: z.string().refine(isUuid, 'must be a UUID') });

/** POST /api/llm/cancel: ends a running request; what it has used is charged. */
export const cancelRequest = ({ completions }: Readonly<{ completions: Completions }>): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/llm/cancel',
    limit: 'write',
    scope: 'chat',
    body,
    handle: async ({ body: { requestId } }, { userId }) => {
      await ownRequest(completions, requestId, userId).stop('cancel');
      return json(200, { success: true, message: 'the request was cancelled' });
    },
  });

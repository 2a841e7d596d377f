import { z } from 'zod';
import { isUuid } from '../../../kernel/ids.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import type { KnownRequests } from './known-requests.ts';

const body = z.object({
  requestId: z
    .string()
    .refine(isUuid, 'must be a UUID')
    .transform((text) => text.toLowerCase()),
});

const MESSAGES = { ended: 'the request was cancelled', ending: 'the request is being cancelled' } as const;

/** POST /api/llm/cancel: ends a running request, on whichever instance it runs; what it has used is charged. */
export const cancelRequest = ({ requests }: Readonly<{ requests: Pick<KnownRequests, 'cancel'> }>): Endpoint =>
  userEndpoint({
    method: 'POST',
    path: '/api/llm/cancel',
    limit: 'write',
    scope: 'chat',
    body,
    handle: async ({ body: { requestId }, cause }, { userId }) =>
      json(200, { success: true, message: MESSAGES[await requests.cancel(requestId, userId, cause)] }),
  });

import { z } from 'zod';
import type { PendingLogins } from '../../auth/pending-logins.ts';
import { isUnavailable } from '../../faults.ts';
import { empty, json, publicEndpoint, type Endpoint } from '../../endpoint.ts';

/** The mobile app gives a login up that answers anything else; asking again finds it when the shared store is back. */
const whileAway = (error: unknown): undefined => {
  if (isUnavailable(error)) return undefined;
  throw error;
};

/** Tells the waiting client how its login ended: 204 while it has not. */
export const pollStatus = (logins: Pick<PendingLogins, 'look'>): Endpoint =>
  publicEndpoint({
    method: 'GET',
    path: '/auth0/poll-status',
    limit: 'polling',
    query: z.object({ pid: z.string().min(1).max(256) }),
    handle: async ({ query: { pid } }) => {
      const ended = await logins.look(pid).catch(whileAway);
      switch (ended?.status) {
        case undefined:
          return empty();
        case 'ready':
          return json(200, { status: 'ready', authorizationCode: ended.code, tauriCsrfToken: ended.csrf });
        case 'error':
          return json(200, { status: 'error', error: ended.error, errorDescription: ended.description });
      }
    },
  });

import { z } from 'zod';
import type { PendingLogins } from '../../auth/pending-logins.ts';
import { empty, json, publicEndpoint, type Endpoint } from '../../endpoint.ts';

/** Tells the waiting client how its login ended: 204 while it has not. */
export const pollStatus = (logins: Pick<PendingLogins, 'look'>): Endpoint =>
  publicEndpoint({
    method: 'GET',
    path: '/auth0/poll-status',
    limit: 'polling',
    query: z.object({ pid: z.string().min(1).max(256) }),
    handle: async ({ query: { pid } }) => {
      const ended = await logins.look(pid);
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

import { json, publicEndpoint } from '../../endpoint.ts';

/** That the process answers, and which version it is. Asks nothing of any other part. */
export const health = (version: string) =>
  publicEndpoint({
    method: 'GET',
    path: '/health',
    limit: 'health',
    handle: () => Promise.resolve(json(200, { status: 'ok', version })),
  });

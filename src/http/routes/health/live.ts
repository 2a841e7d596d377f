import { json, publicEndpoint } from '../../endpoint.ts';

/** That the process need not be restarted. Asks nothing of any other part. */
export const live = () =>
  publicEndpoint({
    method: 'GET',
    path: '/health/live',
    limit: 'health',
    handle: () => Promise.resolve(json(200, { status: 'ok' })),
  });

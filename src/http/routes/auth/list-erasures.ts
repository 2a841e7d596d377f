import { latestErasures } from '../../../../queries/erasure/erasures.query.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { adminEndpoint, json, type Endpoint } from '../../endpoint.ts';

const MOST = 200;

/** GET /api/admin/erasures: who was forgotten when, how far the latest ones have come, and the events that prove it. */
export const listErasures = (queries: QueryRunner): Endpoint =>
  adminEndpoint({
    method: 'GET',
    path: '/api/admin/erasures',
    limit: 'read',
    handle: async () => json(200, { erasures: await queries.asSystem(latestErasures(MOST)) }),
  });

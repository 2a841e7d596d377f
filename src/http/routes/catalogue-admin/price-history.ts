import { priceHistoryOf } from '../../../../queries/catalogue/price-history.query.ts';
import { DomainError } from '../../../kernel/errors.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { adminEndpoint, json, type Endpoint } from '../../endpoint.ts';

/** GET /api/admin/catalogue/models/:id/prices: every price that the model has had, newest first. */
export const priceHistory = ({ queries }: Readonly<{ queries: QueryRunner }>): Endpoint =>
  adminEndpoint({
    method: 'GET',
    path: '/api/admin/catalogue/models/:id/prices',
    limit: 'read',
    handle: async ({ params }) => {
      const modelId = params['id'] ?? '';
      const prices = await queries.asSystem(priceHistoryOf(modelId));
      if (prices.length === 0) throw new DomainError('not_found', 'no price of such a model was ever told');
      return json(200, { modelId, prices });
    },
  });

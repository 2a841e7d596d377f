import { listApiKeys } from '../../../../queries/api-keys/list-api-keys.query.ts';
import { isoOf, type Clock } from '../../../kernel/clock.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { keyView } from './key-views.ts';

type Deps = Readonly<{ queries: Pick<QueryRunner, 'asUser'>; clock: Clock }>;

/** GET /api/api-keys: the user's keys that are not revoked, newest first, and what was spent with each. */
export const listKeys = ({ queries, clock }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/api-keys',
    limit: 'read',
    handle: async (_call, { userId }) => {
      const now = isoOf(clock());
      const keys = await queries.asUser(userId, listApiKeys(userId, now));
      return json(200, { keys: keys.map((key) => keyView(key, now)) });
    },
  });

import type { KeyRing } from '../../../../commands/api-keys/key-ring.ts';
import type { Clock } from '../../../kernel/clock.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import type { Endpoint } from '../../endpoint.ts';
import { changeKeyBudget } from './change-budget.ts';
import { createKey } from './create-key.ts';
import { listKeys } from './list-keys.ts';
import { revokeKey } from './revoke-key.ts';

export type ApiKeyEndpointDeps = Readonly<{ ring: KeyRing; queries: Pick<QueryRunner, 'asUser'>; clock: Clock }>;

/** Everything under `/api/api-keys`. For people who are signed in: a key makes and ends no keys. */
export const apiKeyEndpoints = (deps: ApiKeyEndpointDeps): readonly Endpoint[] => [
  createKey(deps),
  listKeys(deps),
  changeKeyBudget(deps),
  revokeKey(deps),
];

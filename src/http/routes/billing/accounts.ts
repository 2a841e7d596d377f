import type { Clock } from '../../../kernel/clock.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import type { SubjectVault } from '../../../kernel/vault.ts';
import type { Endpoint } from '../../endpoint.ts';
import { accountStanding } from './account-standing.ts';
import { adjustCredits, type Accounts } from './adjust-credits.ts';
import { decideAdjustments, listAdjustments } from './decide-adjustments.ts';
import { providerUsageEndpoint } from './provider-usage.ts';
import { spendingLimitEndpoints } from './spending-limits.ts';

export type AccountEndpointDeps = Readonly<{
  accounts: Accounts;
  vault: Pick<SubjectVault, 'seal' | 'digest'>;
  queries: QueryRunner;
  clock: Clock;
}>;

/** What changes accounts: limits by their users, everything else by administrators. */
export const creditAccountEndpoints = (deps: AccountEndpointDeps): readonly Endpoint[] => [
  adjustCredits(deps),
  listAdjustments(deps),
  ...decideAdjustments(deps),
  ...accountStanding(deps),
  ...spendingLimitEndpoints(deps),
  providerUsageEndpoint(deps),
];

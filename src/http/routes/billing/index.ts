import type { FeeTier } from '../../../events/billing-policy/billing-policy.events.ts';
import type { Clock } from '../../../kernel/clock.ts';
import type { QueryRunner } from '../../../kernel/query.ts';
import type { Endpoint } from '../../endpoint.ts';
import { creditBalanceEndpoint } from './credit-balance.ts';
import { creditDetailsEndpoint } from './credit-details.ts';
import { billingDashboard } from './dashboard.ts';
import { purchaseFeeTiers } from './fee-tiers.ts';
import { unifiedHistoryEndpoint } from './unified-history.ts';
import { usageSummaryEndpoint, type ModelName } from './usage-summary.ts';

export type BillingEndpointDeps = Readonly<{
  queries: Pick<QueryRunner, 'asUser'>;
  clock: Clock;
  modelName: ModelName;
  /** Those in force. */
  feeTiers: () => readonly FeeTier[];
}>;

/** What users read about their money, all of it from read models. Payments are apart (payments-off.ts). */
export const billingEndpoints = (deps: BillingEndpointDeps): readonly Endpoint[] => [
  billingDashboard(deps),
  usageSummaryEndpoint(deps),
  creditBalanceEndpoint(deps),
  creditDetailsEndpoint(deps),
  unifiedHistoryEndpoint(deps),
  purchaseFeeTiers(deps),
];

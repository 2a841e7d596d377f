import type { IsoTime } from '../../../kernel/message.ts';
import type { Endpoint } from '../../endpoint.ts';
import type { BillingPolicy } from '../../../../commands/billing-policy/billing-policy.state.ts';
import type { PolicyChanger } from '../billing-policy/change-policy.ts';
import { billingConfig } from './billing-config.ts';
import { onboardingEndpoint, type OnboardingVideos } from './onboarding.ts';
import { regionsEndpoint, type Region } from './regions.ts';

export type ConfigEndpointDeps = Readonly<{
  policy: () => BillingPolicy;
  changePolicy: PolicyChanger;
  regions: readonly Region[];
  regionsSince: IsoTime;
  videos: OnboardingVideos;
}>;

/** What is the same for every user and changes by configuration only. */
export const configEndpoints = (deps: ConfigEndpointDeps): readonly Endpoint[] => [
  ...billingConfig(deps),
  regionsEndpoint(deps),
  onboardingEndpoint(deps),
];

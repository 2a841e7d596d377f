import type { IsoTime } from '../../../kernel/message.ts';
import type { Endpoint } from '../../endpoint.ts';
import { billingConfig, type SignupOffer } from './billing-config.ts';
import { onboardingEndpoint, type OnboardingVideos } from './onboarding.ts';
import { regionsEndpoint, type Region } from './regions.ts';

export type ConfigEndpointDeps = Readonly<{
  signupOffer: SignupOffer;
  regions: readonly Region[];
  regionsSince: IsoTime;
  videos: OnboardingVideos;
}>;

/** What is the same for every user and changes by configuration only. */
export const configEndpoints = (deps: ConfigEndpointDeps): readonly Endpoint[] => [
  billingConfig(deps),
  regionsEndpoint(deps),
  onboardingEndpoint(deps),
];

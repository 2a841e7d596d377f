import { defaultCompletionPolicy } from '../../commands/completions/policy.ts';
import { catalogueInput } from '../../infra/catalogue/catalogue-input.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { FeeTier } from '../http/routes/billing/fee-tiers.ts';
import { catalogueAdminEndpoints } from '../http/routes/catalogue-admin/index.ts';
import { catalogueEndpoints } from '../http/routes/catalogue/index.ts';
import { allConfigurations } from '../http/routes/config/all-configurations.ts';
import type { SignupOffer } from '../http/routes/config/billing-config.ts';
import { systemPromptEndpoints } from '../http/routes/system-prompts/index.ts';
import type { QueryRunner } from '../kernel/query.ts';
import type { TokenCounter } from '../kernel/tokens-estimate.ts';
import type { LiveCatalogue } from './live-catalogue.ts';

type Deps = Readonly<{
  offered: LiveCatalogue;
  counter: TokenCounter;
  queries: QueryRunner;
  signupOffer: SignupOffer;
  feeTiers: readonly FeeTier[];
}>;

/** Everything that shows or changes what is offered. */
export const offeredEndpoints = ({ offered, counter, queries, ...billing }: Deps): readonly Endpoint[] => {
  const { catalogue, prompts, service, view } = offered;
  return [
    ...catalogueEndpoints({ catalogue, counter }),
    ...systemPromptEndpoints({ prompts }),
    ...catalogueAdminEndpoints({ service, view, queries, input: catalogueInput }),
    allConfigurations({ catalogue, holds: defaultCompletionPolicy, ...billing }),
  ];
};

import { catalogueInput } from '../../infra/catalogue/catalogue-input.ts';
import type { Endpoint } from '../http/endpoint.ts';
import type { PolicyChanger } from '../http/routes/billing-policy/change-policy.ts';
import { billingPolicyEndpoints } from '../http/routes/billing-policy/index.ts';
import { catalogueAdminEndpoints } from '../http/routes/catalogue-admin/index.ts';
import { catalogueEndpoints } from '../http/routes/catalogue/index.ts';
import { allConfigurations } from '../http/routes/config/all-configurations.ts';
import { systemPromptEndpoints } from '../http/routes/system-prompts/index.ts';
import type { QueryRunner } from '../kernel/query.ts';
import type { Completing } from './completing.ts';
import type { LiveCatalogue } from './live-catalogue.ts';
import type { LivePolicy } from './live-policy.ts';

type Deps = Readonly<{
  offered: LiveCatalogue;
  completing: Pick<Completing, 'counter' | 'policy'>;
  queries: QueryRunner;
  prices: Pick<LivePolicy, 'view'>;
  changePolicy: PolicyChanger;
}>;

/** Everything that shows or changes what is offered and what it costs. */
export const offeredEndpoints = ({ offered, completing, queries, prices, changePolicy }: Deps): readonly Endpoint[] => {
  const { catalogue, prompts, service, view } = offered;
  return [
    ...catalogueEndpoints({ catalogue, counter: completing.counter }),
    ...systemPromptEndpoints({ prompts }),
    ...catalogueAdminEndpoints({ service, view, queries, input: catalogueInput }),
    ...billingPolicyEndpoints({ view: prices.view, changePolicy }),
    allConfigurations({ catalogue, holds: completing.policy, policy: () => prices.view().policy }),
  ];
};

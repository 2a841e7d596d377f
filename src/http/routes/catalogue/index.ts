import type { Catalogue } from '../../../kernel/catalogue.ts';
import type { TokenCounter } from '../../../kernel/tokens-estimate.ts';
import type { Endpoint } from '../../endpoint.ts';
import { estimateEndpoints } from './estimate-endpoints.ts';
import { modelEndpoints } from './model-endpoints.ts';
import { providerEndpoints } from './provider-endpoints.ts';
import { runtimeConfigEndpoints } from './runtime-config.ts';

/** What is offered and what it costs. */
export const catalogueEndpoints = (
  deps: Readonly<{ catalogue: () => Catalogue; counter: TokenCounter }>,
): readonly Endpoint[] => [
  ...providerEndpoints(deps),
  ...modelEndpoints(deps),
  ...estimateEndpoints(deps),
  ...runtimeConfigEndpoints(deps),
];

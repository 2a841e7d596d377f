import type { Catalogue } from '../../../kernel/catalogue.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { userEndpoint, type Endpoint } from '../../endpoint.ts';
import { fresh } from '../../fresh.ts';
import { activeModels, activeProviders, providerView } from './catalogue-views.ts';

type Deps = Readonly<{ catalogue: () => Catalogue }>;

/** GET /api/providers. */
const listProviders = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/providers',
    limit: 'read',
    scope: 'models',
    handle: (call) => Promise.resolve(fresh(call, activeProviders(catalogue()).map(providerView))),
  });

/** GET /api/providers/with-counts: each with the number of models that it runs itself. */
const providersWithCounts = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/providers/with-counts',
    limit: 'read',
    scope: 'models',
    handle: (call) => {
      const models = activeModels(catalogue());
      const view = activeProviders(catalogue()).map((provider) => ({
        ...providerView(provider),
        modelCount: models.filter((model) => model.provider === provider.code).length,
      }));
      return Promise.resolve(fresh(call, view));
    },
  });

/** GET /api/providers/by-code/:code. */
const providerByCode = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/providers/by-code/:code',
    limit: 'read',
    scope: 'models',
    handle: (call) => {
      const provider = activeProviders(catalogue()).find(({ code }) => code === call.params['code']);
      if (provider === undefined) throw new DomainError('not_found', 'no such provider; GET /api/providers lists them');
      return Promise.resolve(fresh(call, providerView(provider)));
    },
  });

/** GET /api/providers/by-capability/:capability. */
const providersByCapability = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/providers/by-capability/:capability',
    limit: 'read',
    scope: 'models',
    handle: (call) => {
      const wanted = call.params['capability'] ?? '';
      const able = activeProviders(catalogue()).filter(({ capabilities }) => Object.hasOwn(capabilities, wanted));
      return Promise.resolve(fresh(call, able.map(providerView)));
    },
  });

/** Everything under /api/providers. */
export const providerEndpoints = (deps: Deps): readonly Endpoint[] => [
  listProviders(deps),
  providersWithCounts(deps),
  providerByCode(deps),
  providersByCapability(deps),
];

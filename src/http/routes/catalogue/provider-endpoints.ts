import type { Catalogue } from '../../../kernel/catalogue.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { activeModels, activeProviders, providerView } from './catalogue-views.ts';

type Deps = Readonly<{ catalogue: () => Catalogue }>;

/** GET /api/providers. */
const listProviders = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/providers',
    limit: 'read',
    handle: () => Promise.resolve(json(200, activeProviders(catalogue()).map(providerView))),
  });

/** GET /api/providers/with-counts: each with the number of models that it runs itself. */
const providersWithCounts = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/providers/with-counts',
    limit: 'read',
    handle: () => {
      const models = activeModels(catalogue());
      const view = activeProviders(catalogue()).map((provider) => ({
        ...providerView(provider),
        modelCount: models.filter((model) => model.provider === provider.code).length,
      }));
      return Promise.resolve(json(200, view));
    },
  });

/** GET /api/providers/by-code/:code. */
const providerByCode = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/providers/by-code/:code',
    limit: 'read',
    handle: ({ params }) => {
      const provider = activeProviders(catalogue()).find(({ code }) => code === params['code']);
      if (provider === undefined) throw new DomainError('not_found', 'no such provider; GET /api/providers lists them');
      return Promise.resolve(json(200, providerView(provider)));
    },
  });

/** GET /api/providers/by-capability/:capability. */
const providersByCapability = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/providers/by-capability/:capability',
    limit: 'read',
    handle: ({ params }) => {
      const wanted = params['capability'] ?? '';
      const able = activeProviders(catalogue()).filter(({ capabilities }) => Object.hasOwn(capabilities, wanted));
      return Promise.resolve(json(200, able.map(providerView)));
    },
  });

/** Everything under /api/providers. */
export const providerEndpoints = (deps: Deps): readonly Endpoint[] => [
  listProviders(deps),
  providersWithCounts(deps),
  providerByCode(deps),
  providersByCapability(deps),
];

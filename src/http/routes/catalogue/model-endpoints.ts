import type { Catalogue } from '../../../kernel/catalogue.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { userEndpoint, type Endpoint } from '../../endpoint.ts';
import { fresh } from '../../fresh.ts';
import { modelView, offers } from './catalogue-views.ts';

type Deps = Readonly<{ catalogue: () => Catalogue }>;

/** GET /api/models: one entry for each provider that has the model. */
const listModels = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/models',
    limit: 'read',
    scope: 'models',
    handle: (call) =>
      Promise.resolve(
        fresh(
          call,
          offers(catalogue()).map(({ model, provider }) => modelView(model, provider)),
        ),
      ),
  });

/** GET /api/models/:id, the id percent-encoded: with the provider that runs it. */
const oneModel = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/models/:id',
    limit: 'read',
    scope: 'models',
    handle: (call) => {
      const offer = offers(catalogue()).find(
        ({ model, provider }) => model.id === call.params['id'] && model.provider === provider.code,
      );
      if (offer === undefined) throw new DomainError('not_found', 'no such model; GET /api/models lists them');
      return Promise.resolve(fresh(call, modelView(offer.model, offer.provider)));
    },
  });

/** GET /api/models/by-provider/:code: every model that the provider has. */
const modelsByProvider = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/models/by-provider/:code',
    limit: 'read',
    scope: 'models',
    handle: (call) => {
      const own = offers(catalogue()).filter(({ provider }) => provider.code === call.params['code']);
      return Promise.resolve(
        fresh(
          call,
          own.map(({ model, provider }) => modelView(model, provider)),
        ),
      );
    },
  });

/** GET /api/models/by-type/:type: `text`, `chat` or `transcription`. */
const modelsByType = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/models/by-type/:type',
    limit: 'read',
    scope: 'models',
    handle: (call) => {
      const fitting = offers(catalogue()).filter(({ model }) => model.modelType === call.params['type']);
      return Promise.resolve(
        fresh(
          call,
          fitting.map(({ model, provider }) => modelView(model, provider)),
        ),
      );
    },
  });

/** What can be read under /api/models. */
export const modelEndpoints = (deps: Deps): readonly Endpoint[] => [
  listModels(deps),
  oneModel(deps),
  modelsByProvider(deps),
  modelsByType(deps),
];

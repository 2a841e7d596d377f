import type { Catalogue } from '../../../kernel/catalogue.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { modelView, offers } from './catalogue-views.ts';

type Deps = Readonly<{ catalogue: () => Catalogue }>;

/** GET /api/models: one entry for each provider that has the model. */
const listModels = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/models',
    limit: 'read',
    handle: () =>
      Promise.resolve(
        json(
          200,
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
    handle: ({ params }) => {
      const offer = offers(catalogue()).find(
        ({ model, provider }) => model.id === params['id'] && model.provider === provider.code,
      );
      if (offer === undefined) throw new DomainError('not_found', 'no such model; GET /api/models lists them');
      return Promise.resolve(json(200, modelView(offer.model, offer.provider)));
    },
  });

/** GET /api/models/by-provider/:code: every model that the provider has. */
const modelsByProvider = ({ catalogue }: Deps): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/api/models/by-provider/:code',
    limit: 'read',
    handle: ({ params }) => {
      const own = offers(catalogue()).filter(({ provider }) => provider.code === params['code']);
      return Promise.resolve(
        json(
          200,
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
    handle: ({ params }) => {
      const fitting = offers(catalogue()).filter(({ model }) => model.modelType === params['type']);
      return Promise.resolve(
        json(
          200,
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

import type { Catalogue, Model } from '../../../kernel/catalogue.ts';
import { json, userEndpoint, type Endpoint } from '../../endpoint.ts';
import { callableModel, callableModels, type Offer } from './callable-models.ts';

const MILLISECONDS = 1_000;

/** When the book of models was made that offers it, in seconds: providers do not tell the age of their models. */
const createdIn = ({ version }: Catalogue): number => {
  const at = Date.parse(version.slice(0, 'yyyy-mm-dd'.length));
  return Number.isNaN(at) ? 0 : at / MILLISECONDS;
};

const view = ({ id, provider }: Model, created: number): object => ({
  id,
  object: 'model',
  created,
  owned_by: id.includes('/') ? id.slice(0, id.indexOf('/')) : provider,
});

/** Other paths may end with a slash too; this parameter takes it for a part of the id. */
const withoutLastSlash = (id: string): string => id.replace(/\/$/, '');

/** GET /v1/models: what can be talked to here. */
export const listModels = (offer: Offer): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/v1/models',
    limit: 'read',
    scope: 'models',
    handle: () => {
      const created = createdIn(offer.catalogue());
      const data = callableModels(offer).map((model) => view(model, created));
      return Promise.resolve(json(200, { object: 'list', data }));
    },
  });

/** GET /v1/models/:id, the id as it is or percent-encoded. */
export const oneModel = (offer: Offer): Endpoint =>
  userEndpoint({
    method: 'GET',
    path: '/v1/models/*id',
    limit: 'read',
    scope: 'models',
    handle: ({ params }) => {
      const model = callableModel(offer, withoutLastSlash(params['id'] ?? ''));
      return Promise.resolve(json(200, view(model, createdIn(offer.catalogue()))));
    },
  });

import type { CatalogueService } from '../../../../commands/catalogue/catalogue-service.ts';
import type { Endpoint } from '../../endpoint.ts';
import { changeEndpoint } from './change-endpoint.ts';
import type { CatalogueInput } from './catalogue-input.ts';

const MODELS = '/api/admin/catalogue/models';

/** Adding, changing and taking back models and their prices. Ids are percent-encoded. */
export const modelChanges = (service: CatalogueService, input: CatalogueInput): readonly Endpoint[] => [
  changeEndpoint(service, {
    method: 'POST',
    path: MODELS,
    body: input.newModel,
    ask: (_params, model) => ({ type: 'AddModel', data: model }),
  }),
  changeEndpoint(service, {
    method: 'PUT',
    path: `${MODELS}/:id`,
    body: input.modelChanges,
    ask: ({ id = '' }, wanted) => ({ type: 'ChangeModel', data: { id, ...wanted } }),
  }),
  changeEndpoint(service, {
    method: 'DELETE',
    path: `${MODELS}/:id`,
    ask: ({ id = '' }) => ({ type: 'Revert', data: { kind: 'model', id } }),
  }),
  changeEndpoint(service, {
    method: 'PUT',
    path: `${MODELS}/:id/price`,
    body: input.price,
    ask: ({ id = '' }, price) => ({ type: 'ChangeModelPrice', data: { id, price } }),
  }),
  changeEndpoint(service, {
    method: 'DELETE',
    path: `${MODELS}/:id/price`,
    ask: ({ id = '' }) => ({ type: 'Revert', data: { kind: 'price', id } }),
  }),
];

import { resolveModel, type Catalogue, type Model } from '../../../kernel/catalogue.ts';
import { DomainError } from '../../../kernel/errors.ts';

/** What is offered, and which providers this server can reach. */
export type Offer = Readonly<{ catalogue: () => Catalogue; reaches: (provider: string) => boolean }>;

const isCallable = (catalogue: Catalogue, { reaches }: Offer, { id, modelType }: Model): boolean => {
  const resolved = resolveModel(catalogue, id);
  return resolved !== undefined && modelType !== 'transcription' && reaches(resolved.provider.code);
};

/** The models that can be talked to, by id. */
export const callableModels = (offer: Offer): readonly Model[] => {
  const catalogue = offer.catalogue();
  return catalogue.models
    .filter((model) => isCallable(catalogue, offer, model))
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
};

/** One of them. Throws DomainError `not_found` in OpenAI's words. */
export const callableModel = (offer: Offer, id: string): Model => {
  const catalogue = offer.catalogue();
  const model = catalogue.models.find((candidate) => candidate.id === id);
  if (model !== undefined && isCallable(catalogue, offer, model)) return model;
  throw new DomainError(
    'not_found',
    `the model '${id.slice(0, 100)}' does not exist or cannot be talked to here; GET /v1/models lists those that can`,
    { details: { param: 'model', code: 'model_not_found' } },
  );
};

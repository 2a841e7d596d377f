import type { Catalogue, Model, Provider } from '../../../kernel/catalogue.ts';
import { usdPerMillion } from '../../../kernel/pricing.ts';

/** By name, the same on every machine. */
const byName = (a: Readonly<{ name: string }>, b: Readonly<{ name: string }>): number => {
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
};

/** A provider as clients read it. */
export const providerView = (provider: Provider): object => {
  const { id, code, name, description, websiteUrl, apiBaseUrl, capabilities, status } = provider;
  return { id, code, name, description, websiteUrl, apiBaseUrl, capabilities, status };
};

/** A model as clients read it, offered by this provider. Prices are USD per million tokens. */
export const modelView = (model: Model, provider: Provider): object => {
  const { id, name, contextWindow, price, modelType, capabilities, status, description } = model;
  return {
    ...{ id, name, contextWindow, priceInput: usdPerMillion(price.input), priceOutput: usdPerMillion(price.output) },
    ...{ modelType, capabilities, status, description, provider: providerView(provider) },
  };
};

/** The providers that are offered, by name. */
export const activeProviders = ({ providers }: Catalogue): readonly Provider[] =>
  providers.filter(({ status }) => status === 'active').toSorted(byName);

/** The models that are offered, by name. */
export const activeModels = ({ models }: Catalogue): readonly Model[] =>
  models.filter(({ status }) => status === 'active').toSorted(byName);

/** Each model at each provider that has it: by provider, then by model. */
export const offers = (catalogue: Catalogue): readonly Readonly<{ model: Model; provider: Provider }>[] => {
  const models = activeModels(catalogue);
  return activeProviders(catalogue).flatMap((provider) =>
    models.filter(({ mappings }) => provider.code in mappings).map((model) => ({ model, provider })),
  );
};

import type { Catalogue, Model } from '../../../kernel/catalogue.ts';
import { usdPerMillion } from '../../../kernel/pricing.ts';
import { userEndpoint, type Endpoint } from '../../endpoint.ts';
import { fresh } from '../../fresh.ts';
import { activeModels, activeProviders } from './catalogue-views.ts';

const modelView = (providerName: string, model: Model): object => {
  const { id, name, provider, description, contextWindow, price } = model;
  return {
    ...{ id, name, provider, providerName, description, contextWindow },
    priceInputPerMillion: usdPerMillion(price.input),
    priceOutputPerMillion: usdPerMillion(price.output),
    priceCacheRead: price.cacheRead === undefined ? null : usdPerMillion(price.cacheRead),
    priceCacheWrite: price.cacheWrite === undefined ? null : usdPerMillion(price.cacheWrite),
  };
};

/**
 * What the desktop runs its tasks with: the same catalogue gives the same bytes, because the desktop takes a hash of
 * them for news. Each model stands once, under the provider that runs it; no provider stands there without a model.
 */
const runtimeConfigOf = (catalogue: Catalogue): object => {
  const models = activeModels(catalogue);
  const providers = activeProviders(catalogue)
    .map(({ code, name }) => ({
      provider: { code, name },
      models: models.filter(({ provider }) => provider === code).map((model) => modelView(name, model)),
    }))
    .filter((entry) => entry.models.length > 0);
  const tasks = Object.fromEntries(
    Object.entries(catalogue.tasks)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { model, maxTokens, temperature, copyButtons, allowedModels }]) => [
        name,
        { model, maxTokens, temperature, copyButtons, allowedModels },
      ]),
  );
  return { tasks, providers, maxConcurrentJobs: catalogue.maxConcurrentJobs, codexCli: catalogue.codexCli };
};

/** GET /api/config/desktop-runtime-config, and under the name that the documents use. */
export const runtimeConfigEndpoints = ({ catalogue }: Readonly<{ catalogue: () => Catalogue }>): readonly Endpoint[] =>
  ['/api/config/desktop-runtime-config', '/api/config/runtime'].map((path) =>
    userEndpoint({
      method: 'GET',
      path,
      limit: 'read',
      scope: 'models',
      handle: (call) => Promise.resolve(fresh(call, runtimeConfigOf(catalogue()))),
    }),
  );

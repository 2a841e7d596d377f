import type { ModelFacts, NamedPrice } from '../../src/events/catalogue/catalogue.events.ts';
import { RUNTIME_SETTINGS } from '../../src/events/catalogue/catalogue.events.ts';
import { catalogueFaults } from '../../src/kernel/catalogue-check.ts';
import type { Catalogue, Model } from '../../src/kernel/catalogue.ts';
import { priceFromText } from '../../src/kernel/price-text.ts';
import type { SystemPrompt } from '../../src/kernel/system-prompt.ts';
import { without } from './catalogue.evolve.ts';
import { PARTS, type CatalogueChanges, type Offer, type Part } from './catalogue.state.ts';

const priced = ({ price, priceVersion }: NamedPrice) => ({ price: priceFromText(price), priceVersion });

const modelOf = (id: string, { estimation, ...facts }: ModelFacts, price: NamedPrice): Model => ({
  id,
  ...facts,
  ...priced(price),
  estimation: estimation ?? undefined,
});

/** A model's facts as events carry them. */
export const factsOf = ({ id: _, price: __, priceVersion: ___, estimation, ...facts }: Model): ModelFacts => ({
  ...facts,
  estimation: estimation ?? null,
});

const modelsOf = (build: Catalogue, { added, models, prices }: CatalogueChanges): readonly Model[] => {
  const additions = [...added].map(([id, { value }]) => modelOf(id, value.facts, value));
  const all = [...build.models.filter(({ id }) => !added.has(id)), ...additions];
  return all.map((model) => {
    const { estimation, ...facts } = { ...factsOf(model), ...models.get(model.id)?.value };
    const price = prices.get(model.id);
    return {
      ...model,
      ...facts,
      estimation: estimation ?? undefined,
      ...(price === undefined ? {} : priced(price.value)),
    };
  });
};

const promptsOf = (build: readonly SystemPrompt[], { prompts }: CatalogueChanges): readonly SystemPrompt[] => {
  const changed = [...prompts].map(([taskType, { value, at }]): SystemPrompt => {
    const original = build.find((prompt) => prompt.taskType === taskType);
    return { taskType, ...value, createdAt: original?.createdAt ?? at, updatedAt: at };
  });
  return [...build.filter(({ taskType }) => !prompts.has(taskType)), ...changed];
};

/** What the build offers with the changes laid over it, consistent or not. A change of what is not there has no effect. */
export const offerOf = (build: Offer, changes: CatalogueChanges): Offer => {
  const { catalogue, prompts } = build;
  const { providers, tasks, settings } = changes;
  return {
    catalogue: {
      ...catalogue,
      providers: catalogue.providers.map((provider) => ({ ...provider, ...providers.get(provider.code)?.value })),
      models: modelsOf(catalogue, changes),
      tasks: { ...catalogue.tasks, ...Object.fromEntries([...tasks].map(([task, { value }]) => [task, value])) },
      ...settings.get(RUNTIME_SETTINGS)?.value,
    },
    prompts: promptsOf(prompts, changes),
  };
};

/** Everything that is inconsistent in an offer, one line each. */
export const offerFaults = ({ catalogue, prompts }: Offer): readonly string[] => [
  ...catalogueFaults(catalogue),
  ...prompts.filter(({ text }) => text.trim() === '').map(({ taskType }) => `prompt '${taskType}' is empty`),
];

/** A change that this build cannot follow. It stays in the log and counts again when a build can. */
export type SetAside = Readonly<{ part: Part; id: string; faults: readonly string[] }>;

/** What is offered now, and what it follows from. */
export type CatalogueView = Readonly<{ offer: Offer; changes: CatalogueChanges; setAside: readonly SetAside[] }>;

/**
 * What is offered: never inconsistent. A build may have lost what earlier changes rest on; then those changes are set
 * aside, one by one, first the one whose absence mends most, until the rest is consistent. The build itself is.
 */
export const settledOffer = (
  build: Offer,
  changes: CatalogueChanges,
): Readonly<{ offer: Offer; setAside: readonly SetAside[] }> => {
  const setAside: SetAside[] = [];
  let rest = changes;
  for (;;) {
    const offer = offerOf(build, rest);
    const faults = offerFaults(offer);
    if (faults.length === 0) return { offer, setAside };
    const [best] = PARTS.flatMap((part) =>
      [...rest[part].keys()].map((id) => {
        const fewer = without(rest, part, id);
        return { part, id, fewer, left: offerFaults(offerOf(build, fewer)) };
      }),
    ).toSorted((a, b) => a.left.length - b.left.length);
    if (best === undefined) throw new Error(`the catalogue of this build is inconsistent:\n${faults.join('\n')}`);
    const mended = faults.filter((fault) => !best.left.includes(fault));
    setAside.push({ part: best.part, id: best.id, faults: mended.length === 0 ? faults : mended });
    rest = best.fewer;
  }
};

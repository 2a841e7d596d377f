import type { CatalogueEvent, NamedPrice } from '../../src/events/catalogue/catalogue.events.ts';
import type { Model } from '../../src/kernel/catalogue.ts';
import { never } from '../../src/kernel/never.ts';
import { priceText } from '../../src/kernel/price-text.ts';
import type { Revert } from './catalogue.commands.ts';
import { without } from './catalogue.evolve.ts';
import type { Ground } from './ground.ts';
import { offerOf } from './offer.ts';

type Events = readonly CatalogueEvent[];

const namedPrice = (model: Model | undefined): NamedPrice | null =>
  model === undefined ? null : { price: priceText(model.price), priceVersion: model.priceVersion };

const noteOf = ({ at, reason }: Revert['data']) => ({ at, reason });

const revertPrice = ({ build, state }: Ground, { data }: Revert): Events => {
  if (!state.prices.has(data.id)) return [];
  const { catalogue } = offerOf(build, without(state, 'prices', data.id));
  const inForce = namedPrice(catalogue.models.find(({ id }) => id === data.id));
  return [{ type: 'ModelPriceReverted', data: { modelId: data.id, inForce, ...noteOf(data) } }];
};

const revertModel = (ground: Ground, command: Revert): Events => {
  const { data } = command;
  const { build, state } = ground;
  if (!state.added.has(data.id)) {
    return [
      ...(state.models.has(data.id)
        ? [{ type: 'CatalogueChangeReverted' as const, data: { kind: 'model' as const, id: data.id, ...noteOf(data) } }]
        : []),
      ...revertPrice(ground, command),
    ];
  }
  const removed: CatalogueEvent = { type: 'ModelRemoved', data: { modelId: data.id, ...noteOf(data) } };
  // A later build may have brought the model too: its price is in force then.
  const inForce = namedPrice(build.catalogue.models.find(({ id }) => id === data.id));
  if (inForce === null) return [removed];
  return [removed, { type: 'ModelPriceReverted', data: { modelId: data.id, inForce, ...noteOf(data) } }];
};

const partOf = { provider: 'providers', task: 'tasks', settings: 'settings', prompt: 'prompts' } as const;

/** Takes changes back. What was not changed has nothing to be taken back. */
export const revert = (ground: Ground, command: Revert): Events => {
  const { kind, id } = command.data;
  switch (kind) {
    case 'price':
      return revertPrice(ground, command);
    case 'model':
      return revertModel(ground, command);
    case 'provider':
    case 'task':
    case 'settings':
    case 'prompt':
      if (!ground.state[partOf[kind]].has(id)) return [];
      return [{ type: 'CatalogueChangeReverted', data: { kind, id, ...noteOf(command.data) } }];
    default:
      return never(kind);
  }
};

import { expect } from 'chai';
import { catalogueDecider } from '../../commands/catalogue/catalogue.decider.ts';
import type { Offer } from '../../commands/catalogue/catalogue.state.ts';
import { offerFaults, settledOffer } from '../../commands/catalogue/offer.ts';
import type { CatalogueEvent } from '../../src/events/catalogue/catalogue.events.ts';
import { fold } from '../../src/kernel/decider.ts';
import { at, build, dear, dearText, ECHO, modelIn, newcomer, providerIn, reason, taskIn } from './fixtures.ts';

const settle = (on: Offer, ...history: readonly CatalogueEvent[]) => {
  const { initial, evolve } = catalogueDecider(on);
  // What the log gives back is JSON, without what was undefined.
  const stored = JSON.parse(JSON.stringify(history)) as readonly CatalogueEvent[];
  return settledOffer(on, fold({ evolve }, initial, stored));
};

const priceVersion = 'book/0123456789ab';
const priceChanged = (modelId: string): CatalogueEvent => ({
  type: 'ModelPriceChanged',
  data: { modelId, price: dearText, priceVersion, at, reason },
});
const added: CatalogueEvent = {
  type: 'ModelAdded',
  data: { modelId: 'sandbox/newcomer', facts: newcomer, price: dearText, priceVersion, at, reason },
};
const streaming = {
  ...taskIn(build, 'streaming'),
  model: 'sandbox/newcomer',
  allowedModels: ['sandbox/newcomer'],
};
const taskChanged: CatalogueEvent = {
  type: 'TaskSettingsChanged',
  data: { task: 'streaming', settings: streaming, at, reason },
};

describe('what is offered', () => {
  it('is the build, as long as nothing was changed', () => {
    expect(settle(build)).to.deep.equal({ offer: build, setAside: [] });
  });

  it('has the changed price under the name that its event gave it', () => {
    const model = modelIn(settle(build, priceChanged(ECHO)).offer, ECHO);
    expect([model.price, model.priceVersion]).to.deep.equal([dear, priceVersion]);
    expect(model.name).to.equal(modelIn(build, ECHO).name);
  });

  it('has changed facts one by one, the build’s where nothing was said', () => {
    const changed = (changes: object): CatalogueEvent => ({
      type: 'ModelChanged',
      data: { modelId: ECHO, changes, at, reason },
    });
    const { offer } = settle(build, changed({ name: 'One' }), changed({ contextWindow: 9 }), changed({ name: 'Two' }));
    expect(modelIn(offer, ECHO)).to.deep.equal({ ...modelIn(build, ECHO), name: 'Two', contextWindow: 9 });
  });

  it('has models, tasks, providers, settings and prompts that were added or changed', () => {
    const { codexCli } = build.catalogue;
    const { offer, setAside } = settle(
      build,
      added,
      taskChanged,
      { type: 'ProviderChanged', data: { code: 'xai', changes: { name: 'X' }, at, reason } },
      { type: 'RuntimeConfigChanged', data: { changes: { maxConcurrentJobs: 3 }, at, reason } },
      {
        type: 'SystemPromptChanged',
        data: { taskType: 'path_finder', text: 'Find.', description: null, version: '3.0', at, reason },
      },
    );
    expect(setAside).to.deep.equal([]);
    expect(modelIn(offer, 'sandbox/newcomer')).to.deep.include({
      name: 'Newcomer',
      price: dear,
      estimation: undefined,
    });
    expect(taskIn(offer, 'streaming')).to.deep.equal(streaming);
    expect(providerIn(offer, 'xai')).to.deep.equal({ ...providerIn(build, 'xai'), name: 'X' });
    expect(offer.catalogue).to.deep.include({ maxConcurrentJobs: 3, codexCli });
    const prompt = offer.prompts.find(({ taskType }) => taskType === 'path_finder')!;
    const original = build.prompts.find(({ taskType }) => taskType === 'path_finder')!;
    expect(prompt).to.include({ text: 'Find.', version: '3.0', createdAt: original.createdAt, updatedAt: at });
  });

  it('is the build again when everything was taken back', () => {
    const back = (kind: 'model' | 'task', id: string): CatalogueEvent => ({
      type: 'CatalogueChangeReverted',
      data: { kind, id, at, reason },
    });
    const history: readonly CatalogueEvent[] = [
      added,
      taskChanged,
      priceChanged(ECHO),
      back('task', 'streaming'),
      { type: 'ModelPriceReverted', data: { modelId: ECHO, inForce: null, at, reason } },
      { type: 'ModelRemoved', data: { modelId: 'sandbox/newcomer', at, reason } },
    ];
    expect(settle(build, ...history).offer).to.deep.equal(build);
  });

  describe('by a build that has lost what changes rest on', () => {
    const smaller: Offer = {
      ...build,
      catalogue: {
        ...build.catalogue,
        providers: build.catalogue.providers.filter(({ code }) => code !== 'sandbox'),
        models: build.catalogue.models.filter(({ provider }) => provider !== 'sandbox'),
      },
    };

    it('sets those changes aside and keeps the others', () => {
      const { offer, setAside } = settle(smaller, added, taskChanged, priceChanged('xai/grok-4'), priceChanged(ECHO));
      expect(offerFaults(offer)).to.deep.equal([]);
      expect(setAside.map(({ part, id }) => `${part} ${id}`)).to.have.members([
        'added sandbox/newcomer',
        'tasks streaming',
      ]);
      expect(taskIn(offer, 'streaming')).to.deep.equal(taskIn(build, 'streaming'));
      expect(modelIn(offer, 'xai/grok-4').price).to.deep.equal(dear);
    });

    it('may still be changed, and the change may be the one that mends it', () => {
      const decider = catalogueDecider(smaller);
      const state = fold(decider, decider.initial, [added, taskChanged]);
      const data = { at, reason: null, ifRevision: undefined };
      const decided = [
        decider.decide({ type: 'ChangeModelPrice', key: 'a', data: { ...data, id: 'xai/grok-4', price: dear } }, state),
        decider.decide({ type: 'Revert', key: 'b', data: { ...data, kind: 'task', id: 'streaming' } }, state),
      ];
      expect(decided.map((events) => events.map(({ type }) => type))).to.deep.equal([
        ['ModelPriceChanged'],
        ['CatalogueChangeReverted'],
      ]);
    });
  });
});

import { expect } from 'chai';
import { catalogueDecider } from '../../commands/catalogue/catalogue.decider.ts';
import { priceBookOf } from '../../commands/catalogue/price-book.ts';
import type { CatalogueEvent, OverriddenKind } from '../../src/events/catalogue/catalogue.events.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { priceFromText, priceText, priceVersionOf } from '../../src/kernel/price-text.ts';
import { given } from '../support/given.ts';
import { at, build, dear, dearText, ECHO, MINI, modelIn, newcomer, reason, taskIn, wish } from './fixtures.ts';

const decider = catalogueDecider(build);
const dearVersion = priceVersionOf(build.catalogue.version, dear);
const named = { price: dearText, priceVersion: dearVersion };
const published: CatalogueEvent = { type: 'PriceBookPublished', data: { ...priceBookOf(build.catalogue), at } };
const priceChanged: CatalogueEvent = { type: 'ModelPriceChanged', data: { modelId: ECHO, ...named, at, reason } };
const added: CatalogueEvent = {
  type: 'ModelAdded',
  data: { modelId: 'sandbox/newcomer', facts: newcomer, ...named, at, reason },
};
const askedFor = (modelId: string) => wish({ type: 'ChangeModelPrice', data: { id: modelId, price: dear } });
const revert = (kind: OverriddenKind | 'price', id: string) => wish({ type: 'Revert', data: { kind, id } });
const inactive = (id: string) =>
  wish({ type: 'ChangeModel', data: { id, changes: { status: 'inactive' }, price: undefined } });

describe('the catalogue as a stream', () => {
  describe('when a build starts', () => {
    const publish = { type: 'PublishPriceBook' as const, key: 'book', data: { at } };

    it('says its prices once, however often it starts', () => {
      given(decider).when(publish).thenEvents(published);
      given(decider, published, priceChanged).when(publish).thenNothing();
    });

    it('does not take turns with another build that runs beside it', () => {
      const dearer = { ...build.catalogue, version: '2027-01-01' };
      const other: CatalogueEvent = { type: 'PriceBookPublished', data: { ...priceBookOf(dearer), at } };
      given(decider, published, other).when(publish).thenNothing();
      given(catalogueDecider({ ...build, catalogue: dearer }), published, other)
        .when(publish)
        .thenNothing();
    });

    it('tells every rate of every model, so that charges can be worked out from the log alone', () => {
      const { prices } = priceBookOf(build.catalogue);
      expect(prices).to.have.length(build.catalogue.models.length);
      for (const { modelId, price, priceVersion } of prices) {
        const model = modelIn(build, modelId);
        expect(priceFromText(JSON.parse(JSON.stringify(price)) as typeof price)).to.deep.equal(model.price);
        expect(priceVersion).to.equal(model.priceVersion);
      }
    });
  });

  describe('when a price is changed', () => {
    it('writes the whole price and its name', () => {
      given(decider).when(askedFor(ECHO)).thenEvents(priceChanged);
    });

    it('says nothing when that is the price already', () => {
      given(decider, priceChanged).when(askedFor(ECHO)).thenNothing();
      const { price } = modelIn(build, ECHO);
      given(decider)
        .when(wish({ type: 'ChangeModelPrice', data: { id: ECHO, price } }))
        .thenNothing();
    });

    it('refuses a model that is not there', () => {
      given(decider).when(askedFor('acme/none')).thenRefused('not_found');
    });

    it('refuses a long tier without a threshold', () => {
      const price = { ...dear, longContext: dear };
      const detail = given(decider)
        .when(wish({ type: 'ChangeModelPrice', data: { id: ECHO, price } }))
        .thenRefused('validation_error');
      expect(detail).to.contain(`model '${ECHO}': its long-context threshold`);
    });

    it('can be taken back, once', () => {
      const { price, priceVersion } = modelIn(build, ECHO);
      const reverted: CatalogueEvent = {
        type: 'ModelPriceReverted',
        data: { modelId: ECHO, inForce: { price: priceText(price), priceVersion }, at, reason },
      };
      given(decider, priceChanged).when(revert('price', ECHO)).thenEvents(reverted);
      given(decider, priceChanged, reverted).when(revert('price', ECHO)).thenNothing();
      given(decider, priceChanged, reverted).when(askedFor(ECHO)).thenEvents(priceChanged);
    });

    it('is refused when somebody else was faster', () => {
      const late = wish({ type: 'ChangeModelPrice', data: { id: MINI, price: dear } }, { ifRevision: 1 });
      given(decider, published, priceChanged).when(late).thenRefused('precondition_failed');
      given(decider, published)
        .when(late)
        .thenEvents({ type: 'ModelPriceChanged', data: { modelId: MINI, ...named, at, reason } });
    });
  });

  describe('when models are changed', () => {
    it('adds a model, and takes it away again', () => {
      const add = wish({ type: 'AddModel', data: { id: 'sandbox/newcomer', facts: newcomer, price: dear } });
      given(decider).when(add).thenEvents(added);
      given(decider, added).when(add).thenNothing();
      given(decider, added)
        .when(revert('model', 'sandbox/newcomer'))
        .thenEvents({ type: 'ModelRemoved', data: { modelId: 'sandbox/newcomer', at, reason } });
    });

    it('does not add a second model of the same name', () => {
      const add = wish({ type: 'AddModel', data: { id: ECHO, facts: newcomer, price: dear } });
      given(decider).when(add).thenRefused('already_exists');
    });

    it('does not add a model that could not be called', () => {
      const facts = { ...newcomer, provider: 'acme', mappings: {} };
      const detail = given(decider)
        .when(wish({ type: 'AddModel', data: { id: 'acme/new', facts, price: dear } }))
        .thenRefused('validation_error');
      expect(detail).to.contain("its provider 'acme' is unknown").and.to.contain('it has no name at its provider');
    });

    it('writes only what is news', () => {
      const { name } = modelIn(build, ECHO);
      const changes = { name, contextWindow: 1000 };
      given(decider)
        .when(wish({ type: 'ChangeModel', data: { id: ECHO, changes, price: undefined } }))
        .thenEvents({ type: 'ModelChanged', data: { modelId: ECHO, changes: { contextWindow: 1000 }, at, reason } });
      given(decider)
        .when(wish({ type: 'ChangeModel', data: { id: ECHO, changes: { name }, price: undefined } }))
        .thenNothing();
    });

    it('changes facts and price in one append', () => {
      given(decider)
        .when(wish({ type: 'ChangeModel', data: { id: ECHO, changes: { name: 'Dear' }, price: dear } }))
        .thenEvents(
          { type: 'ModelChanged', data: { modelId: ECHO, changes: { name: 'Dear' }, at, reason } },
          priceChanged,
        );
    });

    it('keeps what tasks need, and names the tasks', () => {
      const { model } = taskIn(build, 'streaming');
      given(decider).when(inactive(model)).thenRefused('validation_error');
      try {
        decider.decide(inactive(model), decider.initial);
      } catch (error) {
        if (!isDomainError(error)) throw error;
        expect(error.details?.['faults']).to.include(`task 'streaming': model '${model}' cannot be called`);
      }
      given(decider)
        .when(inactive(ECHO))
        .thenEvents({ type: 'ModelChanged', data: { modelId: ECHO, changes: { status: 'inactive' }, at, reason } });
    });

    it('keeps a model that tasks use from being taken back', () => {
      const settings = {
        ...taskIn(build, 'streaming'),
        model: 'sandbox/newcomer',
        allowedModels: ['sandbox/newcomer'],
      };
      const task: CatalogueEvent = { type: 'TaskSettingsChanged', data: { task: 'streaming', settings, at, reason } };
      given(decider, added, task).when(revert('model', 'sandbox/newcomer')).thenRefused('validation_error');
      given(decider, added, task)
        .when(revert('task', 'streaming'))
        .thenEvents({ type: 'CatalogueChangeReverted', data: { kind: 'task', id: 'streaming', at, reason } });
    });

    it('takes back facts and price together', () => {
      const renamed: CatalogueEvent = {
        type: 'ModelChanged',
        data: { modelId: ECHO, changes: { name: 'Dear' }, at, reason },
      };
      const after = given(decider, renamed, priceChanged).when(revert('model', ECHO));
      const { price, priceVersion } = modelIn(build, ECHO);
      after.thenEvents(
        { type: 'CatalogueChangeReverted', data: { kind: 'model', id: ECHO, at, reason } },
        {
          type: 'ModelPriceReverted',
          data: { modelId: ECHO, inForce: { price: priceText(price), priceVersion }, at, reason },
        },
      );
    });
  });

  describe('when providers, tasks and settings are changed', () => {
    it('refuses to close a provider that tasks need', () => {
      const close = (id: string) => wish({ type: 'ChangeProvider', data: { id, changes: { status: 'inactive' } } });
      expect(given(decider).when(close('openai')).thenRefused('validation_error')).to.contain("task '");
      given(decider).when(close('acme')).thenRefused('not_found');
      given(decider)
        .when(close('sandbox'))
        .thenEvents({
          type: 'ProviderChanged',
          data: { code: 'sandbox', changes: { status: 'inactive' }, at, reason },
        });
    });

    it('refuses settings that the desktop would refuse', () => {
      const settings = { ...taskIn(build, 'streaming'), temperature: 2.1, maxTokens: 0 };
      const ask = wish({ type: 'ChangeTask', data: { id: 'streaming', settings } });
      const detail = given(decider).when(ask).thenRefused('validation_error');
      expect(detail).to.contain('temperature must be within 0 and 2').and.to.contain('maxTokens must be positive');
    });

    it('sets a new task up', () => {
      const settings = taskIn(build, 'streaming');
      given(decider)
        .when(wish({ type: 'ChangeTask', data: { id: 'code_review', settings } }))
        .thenEvents({ type: 'TaskSettingsChanged', data: { task: 'code_review', settings, at, reason } });
      given(decider)
        .when(wish({ type: 'ChangeTask', data: { id: 'streaming', settings } }))
        .thenNothing();
    });

    it('changes the runtime settings that are named', () => {
      const { codexCli } = build.catalogue;
      const ask = wish({
        type: 'ChangeSettings',
        data: { id: 'runtime', changes: { maxConcurrentJobs: 5, codexCli } },
      });
      const changed: CatalogueEvent = {
        type: 'RuntimeConfigChanged',
        data: { changes: { maxConcurrentJobs: 5 }, at, reason },
      };
      given(decider).when(ask).thenEvents(changed);
      given(decider, changed).when(ask).thenNothing();
    });
  });

  describe('when a prompt is changed', () => {
    const prompt = build.prompts.find(({ taskType }) => taskType === 'task_refinement')!;
    const ask = (text: string, version?: string) =>
      wish({ type: 'ChangePrompt', data: { id: 'task_refinement', text, description: undefined, version } });
    const changed = (text: string, version: string): CatalogueEvent => ({
      type: 'SystemPromptChanged',
      data: { taskType: 'task_refinement', text, description: prompt.description, version, at, reason },
    });

    it('gives another text another version', () => {
      given(decider).when(ask('Refine.')).thenEvents(changed('Refine.', '9.1'));
      given(decider, changed('Refine.', '9.1')).when(ask('Better.')).thenEvents(changed('Better.', '9.2'));
      given(decider).when(ask('Refine.', '10.0')).thenEvents(changed('Refine.', '10.0'));
      given(decider).when(ask('Refine.', '9.0')).thenRefused('validation_error');
    });

    it('says nothing when that is the text already', () => {
      given(decider).when(ask(prompt.text)).thenNothing();
      given(decider, changed('Refine.', '9.1')).when(ask('Refine.')).thenNothing();
    });

    it('takes a first prompt for a task that has none, and none for what is no task', () => {
      const first = (id: string) =>
        wish({ type: 'ChangePrompt', data: { id, text: 'Go.', description: undefined, version: undefined } });
      const data = { taskType: 'streaming', text: 'Go.', description: null, version: '1.0', at, reason };
      given(decider).when(first('streaming')).thenEvents({ type: 'SystemPromptChanged', data });
      given(decider).when(first('dreaming')).thenRefused('not_found');
    });
  });
});

import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { loadCatalogue, parseCatalogue } from '../../infra/catalogue/load-catalogue.ts';
import { REQUIRED_TASKS, resolveModel, type Catalogue } from '../../src/kernel/catalogue.ts';

const file = new URL('../../infra/catalogue/catalogue.json', import.meta.url);

type Loose = Record<string, unknown> & {
  models: Record<string, unknown>[];
  tasks: Record<string, Record<string, unknown>>;
};

const altered = (alter: (json: Loose) => void): unknown => {
  const json = JSON.parse(readFileSync(file, 'utf8')) as Loose;
  alter(json);
  return json;
};

const faultsOf = (alter: (json: Loose) => void): string => {
  try {
    parseCatalogue(altered(alter), { embedded: false });
  } catch (error) {
    return (error as Error).message;
  }
  return expect.fail('nothing was wrong');
};

describe('the catalogue', () => {
  it('is consistent, with the sandbox and without', () => {
    expect(loadCatalogue({ embedded: true }).models.some(({ id }) => id === 'sandbox/echo')).to.equal(true);
    expect(loadCatalogue({ embedded: false }).models.some(({ id }) => id === 'sandbox/echo')).to.equal(false);
  });

  it('lets every task and every model be called', () => {
    const catalogue = loadCatalogue({ embedded: false });
    for (const { id } of catalogue.models) expect(resolveModel(catalogue, id), id).to.not.equal(undefined);
    for (const name of REQUIRED_TASKS) expect(catalogue.tasks[name], name).to.not.equal(undefined);
  });

  it('gives another price another version', () => {
    const before = loadCatalogue({ embedded: false }).models[0]!;
    const json = altered(({ models }) => Object.assign(models[0]!['price'] as object, { input: '3.000001' }));
    const after = parseCatalogue(json, { embedded: false }).models[0]!;
    expect(after.price.input).to.equal(3_000_001n);
    expect(after.priceVersion).to.not.equal(before.priceVersion);
    expect(loadCatalogue({ embedded: true }).models[0]!.priceVersion).to.equal(before.priceVersion);
  });

  it('takes missing long-context rates for cached tokens from the short tier', () => {
    const json = altered(({ models }) => {
      const model = models.find(({ id }) => id === 'google/gemini-2.5-pro')!;
      delete (model['price'] as { longContext: Record<string, unknown> }).longContext['cacheRead'];
    });
    const model = parseCatalogue(json, { embedded: false }).models.find(({ id }) => id === 'google/gemini-2.5-pro')!;
    expect(model.price.longContext?.cacheRead).to.equal(310_000n);
  });

  it('knows rates for sound, reasoning and searches, and takes missing long-context ones from the short tier', () => {
    const json = altered(({ models }) => {
      const model = models.find(({ id }) => id === 'google/gemini-2.5-pro')!;
      Object.assign(model['price'] as object, { audioInput: '7', reasoning: '9', webSearch: '35' });
    });
    const priceOf = (catalogue: Catalogue, id: string) => catalogue.models.find((model) => model.id === id)!.price;
    const { reasoning, longContext } = priceOf(parseCatalogue(json, { embedded: false }), 'google/gemini-2.5-pro');
    expect([reasoning, longContext?.reasoning, longContext?.audioInput]).to.deep.equal([
      9_000_000n,
      9_000_000n,
      7_000_000n,
    ]);
    expect(longContext?.webSearch).to.equal(35_000_000_000n);
    const flash = priceOf(loadCatalogue({ embedded: false }), 'google/gemini-3-flash-preview');
    expect([flash.audioInput, flash.cachedAudioInput]).to.deep.equal([1_000_000n, 100_000n]);
  });

  it('lists everything that is wrong at once', () => {
    const faults = faultsOf(({ models, tasks }) => {
      Object.assign(models[0]!, { mappings: {}, provider: 'acme' });
      models.push({ ...models[1]! });
      Object.assign(tasks['streaming']!, { model: 'acme/none', temperature: 2.5 });
      delete tasks['unknown'];
    });
    for (const fault of [
      "its provider 'acme' is unknown",
      "model 'anthropic/claude-opus-4-20250514' stands there twice",
      "task 'streaming': model 'acme/none' cannot be called",
      "task 'streaming': temperature must be within 0 and 2",
      "task 'unknown' is missing",
    ]) {
      expect(faults).to.include(fault);
    }
  });

  it('refuses a price that is no exact decimal', () => {
    expect(faultsOf(({ models }) => Object.assign(models[0]!['price'] as object, { output: '1e2' }))).to.include(
      'models.0.price.output',
    );
  });
});

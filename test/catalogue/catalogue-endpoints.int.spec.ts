import { expect } from 'chai';
import { loadCatalogue } from '../../infra/catalogue/load-catalogue.ts';
import { countTokens } from '../../infra/tokenizer/count-tokens.ts';
import { catalogueEndpoints } from '../../src/http/routes/catalogue/index.ts';
import { REQUIRED_TASKS } from '../../src/kernel/catalogue.ts';
import { startHttp, type HttpUnderTest } from '../support/given-http.ts';

type Json = Record<string, unknown>;
type Offered = Readonly<{ id: string; provider: { code: string } }>;

describe('the catalogue over HTTP', () => {
  let http: HttpUnderTest;
  const catalogue = loadCatalogue({ embedded: true });

  before(async () => {
    http = await startHttp(catalogueEndpoints({ catalogue: () => catalogue, counter: { count: countTokens } }));
  });
  after(() => http.close());

  const headers = { authorization: 'Bearer ada', 'content-type': 'application/json' };
  const get = (path: string): Promise<Response> => fetch(http.url + path, { headers });
  const read = async <T>(path: string): Promise<T> => (await (await get(path)).json()) as T;
  const post = (path: string, body: unknown): Promise<Response> =>
    fetch(http.url + path, { method: 'POST', headers, body: JSON.stringify(body) });

  it('lists providers by name, with the number of their own models', async () => {
    const providers = await read<Json[]>('/api/providers/with-counts');
    expect(providers.map(({ name }) => name)).to.deep.equal([
      'Anthropic',
      'Google',
      'OpenAI',
      'OpenRouter',
      'Sandbox',
      'xAI',
    ]);
    expect(providers[0]).to.include({ code: 'anthropic', modelCount: 4, status: 'active' });
    expect((await read<Json[]>('/api/providers'))[0]).to.not.have.property('modelCount');
  });

  it('finds providers by code and by capability', async () => {
    expect(await read<Json>('/api/providers/by-code/xai')).to.include({ name: 'xAI', websiteUrl: 'https://x.ai' });
    expect((await get('/api/providers/by-code/acme')).status).to.equal(404);
    const able = await read<Json[]>('/api/providers/by-capability/reasoning');
    expect(able.map(({ code }) => code)).to.deep.equal(['anthropic', 'openrouter', 'xai']);
    expect(await read<Json[]>('/api/providers/by-capability/constructor')).to.deep.equal([]);
  });

  it('lists a model once for each provider that has it', async () => {
    const models = await read<Offered[]>('/api/models');
    const mini = models.filter(({ id }) => id === 'openai/gpt-5-mini');
    expect(mini.map(({ provider }) => provider.code)).to.deep.equal(['openai', 'openrouter']);
    expect(mini[0]).to.include({ priceInput: '0.25', priceOutput: '2', contextWindow: 270_000, modelType: 'text' });
  });

  it('finds models by id, provider and type', async () => {
    expect((await read<Offered>('/api/models/openai%2Fgpt-5-mini')).provider.code).to.equal('openai');
    expect((await get('/api/models/acme%2Fnone')).status).to.equal(404);
    const routed = await read<Offered[]>('/api/models/by-provider/openrouter');
    expect(routed.map(({ id }) => id)).to.include.members(['moonshotai/kimi-k2', 'xai/grok-4']);
    const speech = await read<Json[]>('/api/models/by-type/transcription');
    expect(speech.every(({ modelType }) => modelType === 'transcription')).to.equal(true);
    expect(speech).to.have.length(4);
  });

  it('estimates a cost to the last digit', async () => {
    const answer = await post('/api/models/estimate-cost', {
      modelId: 'openai/gpt-5-nano',
      inputTokens: 1_001,
      outputTokens: 1,
      cacheReadTokens: 1,
      durationMs: 5,
    });
    expect(await answer.json()).to.deep.equal({
      modelId: 'openai/gpt-5-nano',
      inputTokens: 1_001,
      outputTokens: 1,
      cacheWriteTokens: 0,
      cacheReadTokens: 1,
      estimatedCost: '0.000050405',
      costBreakdown: {
        inputCost: '0.00005',
        outputCost: '0.0000004',
        cacheWriteCost: null,
        cacheReadCost: '0.000000005',
      },
      pricingModel: 'per token, by class; USD',
    });
  });

  it('adds a batch up', async () => {
    const one = { modelId: 'openai/gpt-4.1', inputTokens: 10, outputTokens: 10 };
    const answer = await post('/api/models/estimate-batch-cost', { requests: [one, one] });
    expect(await answer.json()).to.include({ totalEstimatedCost: '0.0002' });
    const unknown = await post('/api/models/estimate-batch-cost', {
      requests: [one, { ...one, modelId: 'acme/none' }],
    });
    expect(unknown.status).to.equal(404);
  });

  it('refuses counts that cannot be', async () => {
    const body = { modelId: 'openai/gpt-4.1', inputTokens: 1, outputTokens: 1, cacheReadTokens: 2 };
    const answer = await post('/api/models/estimate-cost', body);
    expect(answer.status).to.equal(400);
    expect(await answer.json()).to.include({ error_type: 'invalid_argument' });
    expect((await post('/api/models/estimate-cost', { ...body, inputTokens: -1 })).status).to.equal(400);
  });

  it('counts the tokens of a text for any model', async () => {
    const answer = await post('/api/models/estimate-tokens', { model: 'acme/none', text: 'Grüße, <|endoftext|>' });
    expect(await answer.json()).to.deep.equal({
      model: 'acme/none',
      textLength: 22,
      estimatedTokens: countTokens('Grüße, <|endoftext|>'),
    });
  });

  it('gives the desktop a configuration that it accepts, the same bytes each time', async () => {
    const first = await (await get('/api/config/desktop-runtime-config')).text();
    expect(await (await get('/api/config/runtime')).text()).to.equal(first);
    const config = JSON.parse(first) as {
      tasks: Record<string, { model: string; temperature: number; maxTokens: number; allowedModels: string[] }>;
      providers: { provider: { code: string }; models: { id: string; priceInputPerMillion: string }[] }[];
      maxConcurrentJobs: number;
    };
    const ids = config.providers.flatMap(({ models }) => models.map(({ id }) => id));
    expect(new Set(ids).size).to.equal(ids.length);
    for (const name of REQUIRED_TASKS) {
      const task = config.tasks[name]!;
      expect(ids, name).to.include.members([task.model, ...task.allowedModels]);
      expect(task.temperature).to.be.within(0, 2);
      expect(task.maxTokens).to.be.greaterThan(0);
    }
    for (const { models } of config.providers) expect(models).to.not.be.empty;
    expect(config.maxConcurrentJobs).to.equal(20);
    expect(Object.keys(config.tasks)).to.deep.equal(Object.keys(config.tasks).sort());
  });
});

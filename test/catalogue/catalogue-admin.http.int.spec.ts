import { expect } from 'chai';
import { catalogueInput } from '../../infra/catalogue/catalogue-input.ts';
import { countTokens } from '../../infra/tokenizer/count-tokens.ts';
import { priceBookProjection } from '../../projections/price-book/price-book.projection.ts';
import { liveCatalogue, type LiveCatalogue } from '../../src/app/live-catalogue.ts';
import { catalogueAdminEndpoints } from '../../src/http/routes/catalogue-admin/index.ts';
import { catalogueEndpoints } from '../../src/http/routes/catalogue/index.ts';
import { allConfigurations } from '../../src/http/routes/config/all-configurations.ts';
import { systemPromptEndpoints } from '../../src/http/routes/system-prompts/index.ts';
import { silentLogger } from '../../src/kernel/logger.ts';
import { startReadSide, type ReadSide } from '../billing/read-side.ts';
import { grace, startHttp, type HttpUnderTest } from '../support/given-http.ts';
import { memoryEventStore, type MemoryEventStore } from '../support/memory-event-store.ts';
import { usualPolicy } from '../support/usual-policy.ts';
import { build, ECHO } from './fixtures.ts';

type Json = Record<string, unknown>;
type Answer = Readonly<{ status: number; body: Json; etag: string | null }>;
type Prompt = Readonly<{
  taskType: string;
  systemPrompt: string;
  version: string;
  createdAt: number;
  updatedAt: number;
}>;
type Shown = Readonly<{
  revision: number;
  models: readonly Json[];
  overrides: readonly Json[];
  tasks: Readonly<Record<string, Json>>;
}>;

const ADMIN = '/api/admin/catalogue';
const ONE = `${ADMIN}/models/${encodeURIComponent(ECHO)}`;
const NOW = '2026-11-25T12:00:00.500Z';

describe('the catalogue for administrators', function () {
  this.timeout(30_000);
  const stopping = new AbortController();
  let store: MemoryEventStore;
  let live: LiveCatalogue;
  let readSide: ReadSide;
  let http: HttpUnderTest;

  before(async () => {
    store = memoryEventStore();
    const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
    live = liveCatalogue({ build, store, clock: () => new Date(NOW), pause, logger: silentLogger });
    live.start(stopping.signal).catch(() => undefined);
    readSide = await startReadSide([priceBookProjection], { store, vault: { open: () => Promise.resolve(null) } });
    const { catalogue, prompts, service, view } = live;
    http = await startHttp(
      [
        ...catalogueEndpoints({ catalogue, counter: { count: countTokens } }),
        ...systemPromptEndpoints({ prompts }),
        ...catalogueAdminEndpoints({ service, view, input: catalogueInput, queries: readSide.queries }),
        allConfigurations({
          catalogue,
          policy: () => usualPolicy,
          holds: { marginBps: 5000n, leaseSeconds: 30 },
        }),
      ],
      { clock: () => new Date(NOW) },
    );
  });
  after(async () => {
    stopping.abort();
    await http.close();
    await readSide.close();
  });

  const call = async (
    method: string,
    path: string,
    body?: unknown,
    { as = 'grace', ...headers }: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(http.url + path, {
      method,
      headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      body: (text === '' ? {} : JSON.parse(text)) as Json,
      etag: response.headers.get('etag'),
    };
  };
  const get = async <T = Json>(path: string, headers: Record<string, string> = {}): Promise<T> => {
    const { status, body } = await call('GET', path, undefined, headers);
    expect(status, path).to.equal(200);
    return body as T;
  };
  const model = async (): Promise<Json> => get(`/api/models/${encodeURIComponent(ECHO)}`);
  const shown = async (): Promise<Shown> => get<Shown>(ADMIN);

  afterEach(async () => {
    for (const { part, id } of (await shown()).overrides) {
      const name = encodeURIComponent(id as string);
      const path = {
        added: `models/${name}`,
        models: `models/${name}`,
        prices: `models/${name}/price`,
        providers: `providers/${name}`,
        tasks: `tasks/${name}`,
        settings: 'settings',
        prompts: `../system-prompts/${name}`,
      }[part as string];
      await call('DELETE', `${ADMIN}/${path}`);
    }
    expect((await shown()).overrides).to.deep.equal([]);
    expect(live.catalogue()).to.deep.equal(build.catalogue);
  });

  it('is theirs alone', async () => {
    const as = { as: 'ada' };
    const answers = await Promise.all([
      call('GET', ADMIN, undefined, as),
      call('PUT', `${ONE}/price`, { input: '1', output: '1' }, as),
      call('DELETE', ONE, undefined, as),
      call('GET', `${ONE}/prices`, undefined, as),
      call('PUT', '/api/admin/system-prompts/path_finder', { systemPrompt: 'Find.' }, as),
      call('GET', '/api/config/all-configurations', undefined, as),
    ]);
    expect(answers.map(({ status }) => status)).to.deep.equal([403, 403, 403, 403, 403, 403]);
    expect((await shown()).overrides).to.deep.equal([]);
  });

  it('shows a price in the form in which it is written', async () => {
    const written = {
      input: '0.6',
      output: '1.8',
      cacheRead: '0.06',
      webSearch: '10',
      longContext: { above: 64_000, input: '1.2', output: '3.6', cacheRead: '0.06', webSearch: '10' },
    };
    const { status, body, etag } = await call('PUT', `${ONE}/price?reason=dearer%20now`, written);
    expect([status, etag]).to.deep.equal([200, `"${body['revision'] as string}"`]);
    expect(await model()).to.include({ priceInput: '0.6', priceOutput: '1.8' });
    const { models, overrides } = await shown();
    const { price, priceVersion } = models.find(({ id }) => id === ECHO)!;
    expect(price).to.deep.equal(written);
    expect(overrides).to.deep.equal([
      { part: 'prices', id: ECHO, at: NOW, reason: 'dearer now', value: { price: written, priceVersion } },
    ]);
    const last = store.log().at(-1)!;
    expect(last.type).to.equal('ModelPriceChanged');
    expect(last.metadata.actor).to.deep.equal({ kind: 'admin', id: grace.userId });
    expect((last.data as { price: unknown }).price).to.deep.include({
      input: '600000',
      webSearch: '10000000000',
      longContextAbove: 64_000,
    });
  });

  it('is estimated with the new price at once', async () => {
    await call('PUT', `${ONE}/price`, { input: '2', output: '4' });
    const body = { modelId: ECHO, inputTokens: 10, outputTokens: 10 };
    expect((await call('POST', '/api/models/estimate-cost', body)).body).to.include({ estimatedCost: '0.00006' });
  });

  it('tells the history of a price', async () => {
    await call('PUT', `${ONE}/price`, { input: '2', output: '4' });
    await call('DELETE', `${ONE}/price?reason=a%20mistake`);
    const { modelId, prices } = await get<{ modelId: string; prices: readonly Json[] }>(`${ONE}/prices`);
    expect(modelId).to.equal(ECHO);
    const [back, changed] = prices;
    expect(back).to.include({ event: 'ModelPriceReverted', reason: 'a mistake' });
    expect(back!['price']).to.deep.equal({ input: '0.5', output: '1.5', cacheRead: '0.05' });
    expect(changed).to.deep.include({
      event: 'ModelPriceChanged',
      reason: null,
      rates: { input: '2000000', output: '4000000' },
      actor: { kind: 'admin', id: grace.userId },
    });
    expect(prices.at(-1)).to.include({ event: 'PriceBookPublished' });
    expect(new Set(prices.map(({ position }) => position)).size).to.equal(prices.length);
    expect((await call('GET', `${ADMIN}/models/acme%2Fnone/prices`)).status).to.equal(404);
  });

  it('refuses what is no exact price', async () => {
    for (const price of [
      { input: 1, output: '1' },
      { input: '1' },
      { input: '-1', output: '1' },
      { input: '1e3', output: '1' },
    ]) {
      const { status, body } = await call('PUT', `${ONE}/price`, price);
      expect([status, body['error_type']]).to.deep.equal([400, 'validation_error']);
    }
  });

  it('lets a model come and go', async () => {
    const newcomer = {
      id: 'sandbox/newcomer',
      name: 'Newcomer',
      description: 'New.',
      provider: 'sandbox',
      modelType: 'chat',
      contextWindow: 8000,
      price: { input: '1', output: '2' },
      capabilities: { chat: true },
      mappings: { sandbox: 'echo' },
    };
    expect((await call('POST', `${ADMIN}/models`, newcomer)).status).to.equal(200);
    expect((await call('POST', `${ADMIN}/models`, { ...newcomer, name: 'Other' })).status).to.equal(409);
    expect(await get('/api/models/sandbox%2Fnewcomer')).to.include({ name: 'Newcomer', status: 'active' });
    const path = `${ADMIN}/models/sandbox%2Fnewcomer`;
    expect((await call('PUT', path, { contextWindow: 9000, price: { input: '3', output: '4' } })).status).to.equal(200);
    expect(await get('/api/models/sandbox%2Fnewcomer')).to.include({
      name: 'Newcomer',
      contextWindow: 9000,
      priceInput: '3',
    });
    expect((await call('DELETE', path)).status).to.equal(200);
    expect((await call('GET', '/api/models/sandbox%2Fnewcomer')).status).to.equal(404);
    const { prices } = await get<{ prices: readonly Json[] }>(`${path}/prices`);
    expect(prices.map(({ event }) => event)).to.deep.equal(['ModelRemoved', 'ModelPriceChanged', 'ModelAdded']);
  });

  it('changes what is named and leaves the rest', async () => {
    await call('PUT', ONE, { status: 'inactive' });
    expect((await call('GET', `/api/models/${encodeURIComponent(ECHO)}`)).status).to.equal(404);
    await call('PUT', ONE, { name: 'Echo, echo' });
    expect((await shown()).models.find(({ id }) => id === ECHO)).to.include({ name: 'Echo, echo', status: 'inactive' });
    await call('PUT', ONE, { status: 'active' });
    expect(await model()).to.include({ name: 'Echo, echo' });
    expect((await call('PUT', ONE, { colour: 'red' })).status).to.equal(400);
    expect((await call('PUT', ONE, { id: 'other' })).status).to.equal(400);
  });

  it('refuses what would leave the desktop without a model, and says why', async () => {
    const { status, body } = await call('PUT', `${ADMIN}/providers/openai`, { status: 'inactive' });
    expect([status, body['error_type']]).to.deep.equal([400, 'validation_error']);
    expect((body['error_details'] as { faults: string[] }).faults).to.include(
      "task 'voice_transcription': model 'openai/gpt-4o-transcribe' cannot be called",
    );
  });

  it('changes tasks and settings of the desktop', async () => {
    const task = { ...build.catalogue.tasks['streaming']!, maxTokens: 1234 };
    await call('PUT', `${ADMIN}/tasks/streaming`, task);
    await call('PUT', `${ADMIN}/settings`, { maxConcurrentJobs: 7 });
    const config = await get<Json & { tasks: Record<string, Json> }>('/api/config/runtime');
    expect(config['maxConcurrentJobs']).to.equal(7);
    expect(config['codexCli']).to.deep.equal(build.catalogue.codexCli);
    expect(config.tasks['streaming']).to.deep.equal(task);
    expect((await call('PUT', `${ADMIN}/tasks/__proto__`, task)).status).to.equal(404);
  });

  it('guards against administrators who have not seen the last change', async () => {
    const { etag } = await call('GET', ADMIN);
    const first = await call('PUT', `${ADMIN}/settings`, { maxConcurrentJobs: 7 }, { 'if-match': etag! });
    const second = await call('PUT', `${ADMIN}/settings`, { maxConcurrentJobs: 8 }, { 'if-match': etag! });
    expect([first.status, second.status]).to.deep.equal([200, 412]);
    expect(second.body).to.deep.include({
      error_type: 'precondition_failed',
      error_details: { revision: first.body['revision'] },
    });
    const third = await call('PUT', `${ADMIN}/settings`, { maxConcurrentJobs: 8 }, { 'if-match': first.etag! });
    expect(third.status).to.equal(200);
    expect((await call('PUT', `${ADMIN}/settings`, {}, { 'if-match': 'yesterday' })).status).to.equal(400);
  });

  it('says nothing new to the same wish', async () => {
    const one = await call('PUT', `${ADMIN}/settings`, { maxConcurrentJobs: 7 });
    const events = store.log().length;
    const two = await call('PUT', `${ADMIN}/settings`, { maxConcurrentJobs: 7 });
    expect([two.status, two.body, store.log().length]).to.deep.equal([200, one.body, events]);
  });

  it('lists every setting by its key', async () => {
    const all = await get<Json & { ai_settings: { tasks: Record<string, Json> } }>('/api/config/all-configurations');
    expect(Object.keys(all)).to.include.members([
      'ai_settings',
      'billing_free_credits_amount',
      'credit_purchase_fee_tiers',
    ]);
    expect(all).to.include({ billing_reservation_buffer_multiplier: '1.5', billing_free_credits_expiry_days: '180' });
    expect(all.ai_settings.tasks['streaming']).to.include({ max_tokens: 4096, temperature: 0.7 });
  });

  describe('system prompts', () => {
    it('are listed by task, under both names, the same bytes each time', async () => {
      const prompts = await get<readonly Prompt[]>('/api/system-prompts/defaults', { as: 'ada' });
      expect(prompts.map(({ taskType }) => taskType)).to.deep.equal(
        build.prompts.map(({ taskType }) => taskType).toSorted(),
      );
      expect(await get('/api/system-prompts')).to.deep.equal(prompts);
      const one = await get<Prompt>('/api/system-prompts/defaults/task_refinement');
      expect(one).to.deep.equal(prompts.find(({ taskType }) => taskType === 'task_refinement'));
      expect(await get('/api/system-prompts/task_refinement')).to.deep.equal(one);
      expect(one).to.include({ id: 'default_task_refinement', version: '9.0' });
      expect([one.createdAt, one.updatedAt].every(Number.isInteger)).to.equal(true);
    });

    it('are not there for other tasks', async () => {
      for (const path of ['/api/system-prompts/defaults/none', '/api/system-prompts/none']) {
        const { status, body } = await call('GET', path, undefined, { as: 'ada' });
        expect([status, body['error'], body['error_type']]).to.deep.equal([404, 'not_found', 'not_found']);
        expect(body['message']).to.be.a('string');
      }
    });

    it('can be changed and taken back', async () => {
      const path = '/api/admin/system-prompts/task_refinement';
      const before = await get<Prompt>('/api/system-prompts/task_refinement');
      expect((await call('PUT', path, { systemPrompt: ' Refine. \n' })).status).to.equal(200);
      expect(await get('/api/system-prompts/task_refinement')).to.include({
        systemPrompt: 'Refine.',
        version: '9.1',
        createdAt: before.createdAt,
        updatedAt: Math.floor(Date.parse(NOW) / 1000),
      });
      expect((await call('PUT', path, { systemPrompt: '  ' })).status).to.equal(400);
      expect((await call('PUT', '/api/admin/system-prompts/none', { systemPrompt: 'x' })).status).to.equal(404);
      await call('DELETE', path);
      expect(await get('/api/system-prompts/task_refinement')).to.deep.equal(before);
    });
  });

  describe('answers that clients may keep', () => {
    for (const path of ['/api/config/desktop-runtime-config', '/api/models', '/api/providers', '/api/system-prompts']) {
      it(`are told apart by their bytes: ${path}`, async () => {
        const { etag } = await call('GET', path);
        expect((await call('GET', path, undefined, { 'if-none-match': `"other", W/${etag}` })).status).to.equal(304);
        await call('PUT', ONE, { name: 'Echo, echo' });
        await call('PUT', `${ADMIN}/providers/sandbox`, { name: 'Sand' });
        await call('PUT', '/api/admin/system-prompts/path_finder', { systemPrompt: 'Find.' });
        expect((await call('GET', path, undefined, { 'if-none-match': etag! })).status).to.equal(200);
      });
    }
  });
});

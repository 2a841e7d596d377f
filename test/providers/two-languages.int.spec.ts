import { expect } from 'chai';
import { openAiUpstream } from '../../infra/providers/openai/openai-upstream.ts';
import { openRouterUpstream } from '../../infra/providers/openrouter/openrouter-upstream.ts';
import { xaiUpstream } from '../../infra/providers/xai/xai-upstream.ts';
import type { UpstreamRequest } from '../../src/kernel/upstream.ts';
import { casesOf } from './recorded-cases.ts';
import { replay, request } from './replay.ts';
import { replayingUpstream, type Asked, type Replay, type ReplayingUpstream } from './replaying-upstream.ts';

const CHAT = '/v1/chat/completions';
const RESPONSES = '/v1/responses';
const caseOf = (name: string): Replay => casesOf('xai').find((recorded) => recorded.name === name)!;
const byRoute = ({ path }: Asked): Replay =>
  caseOf(path === RESPONSES ? 'responses-own-reasoning' : 'own-reasoning-beside');

const json = (status: number, body: unknown): Replay => ({
  status,
  contentType: 'application/json',
  body: Buffer.from(JSON.stringify(body)),
});

describe('a provider with two languages', () => {
  let server: ReplayingUpstream;
  beforeEach(async () => {
    server = await replayingUpstream();
  });
  afterEach(() => server.stop());

  const paths = (): readonly string[] => server.asked.map(({ path }) => path);

  it('searches by the Responses API and goes on with Chat Completions', async () => {
    const upstream = xaiUpstream({ baseUrl: server.url, apiKey: 'k', clock: () => new Date(0) });
    server.answer(byRoute);
    const { signal } = new AbortController();
    const ask = (over: Partial<UpstreamRequest>) => upstream.complete(request(over), { signal });
    expect((await ask({ webMode: true })).text).to.equal('Hi');
    expect((await ask({})).text).to.equal('Grüße');
    expect(paths()).to.deep.equal([RESPONSES, CHAT]);
    await upstream.close();
  });

  it('remembers a server that knows the Responses API alone', async () => {
    const upstream = xaiUpstream({ baseUrl: server.url, apiKey: 'k', clock: () => new Date(0) });
    server.answer((asked) => (asked.path === RESPONSES ? byRoute(asked) : json(404, { detail: 'Not Found' })));
    for (let call = 0; call < 2; call += 1) expect((await replay(upstream, true)).completion.text).to.equal('Hi');
    expect(paths()).to.deep.equal([CHAT, RESPONSES, RESPONSES]);
    await upstream.close();
  });

  it('says at OpenAI by Chat Completions what only they can do', async () => {
    const upstream = openAiUpstream({ baseUrl: server.url, apiKey: 'k', clock: () => new Date(0) });
    server.answer(byRoute);
    const { signal } = new AbortController();
    const ask = (over: Partial<UpstreamRequest>) =>
      upstream.complete(request({ model: 'gpt-4.1', ...over }), { signal });
    expect((await ask({ sampling: { stop: ['END'], seed: 1 } })).text).to.equal('Grüße');
    expect((await ask({})).text).to.equal('Hi');
    expect(paths()).to.deep.equal([CHAT, RESPONSES]);
    expect(server.asked[0]!.body).to.deep.include({ stop: ['END'], seed: 1 });
    await upstream.close();
  });

  it('says it by the only language that a server knows', async () => {
    const upstream = openAiUpstream({ baseUrl: server.url, apiKey: 'k', clock: () => new Date(0) });
    server.answer((asked) => (asked.path === RESPONSES ? byRoute(asked) : json(404, { detail: 'Not Found' })));
    const { signal } = new AbortController();
    const ask = () => upstream.complete(request({ model: 'gpt-4.1', sampling: { stop: ['END'] } }), { signal });
    for (let call = 0; call < 2; call += 1) expect((await ask()).text).to.equal('Hi');
    expect(paths()).to.deep.equal([CHAT, RESPONSES, RESPONSES]);
    await upstream.close();
  });

  it('finds it out for all requests that were under way at the same time', async () => {
    const upstream = openAiUpstream({ baseUrl: server.url, apiKey: 'k', clock: () => new Date(0) });
    server.answer((asked) => (asked.path === CHAT ? byRoute(asked) : json(404, { detail: 'Not Found' })));
    const { signal } = new AbortController();
    const ask = () => upstream.complete(request({ model: 'gpt-4.1' }), { signal });
    const answers = await Promise.all(Array.from({ length: 24 }, ask));
    expect(answers.map(({ text }) => text)).to.deep.equal(answers.map(() => 'Grüße'));
    await upstream.close();
  });

  it('gives up when a server knows neither', async () => {
    const upstream = openAiUpstream({ baseUrl: server.url, apiKey: 'k', clock: () => new Date(0) });
    server.answer(json(404, { detail: 'Not Found' }));
    for (let call = 0; call < 2; call += 1) expect((await replay(upstream, true)).failure).to.include({ status: 404 });
    expect(paths()).to.deep.equal([RESPONSES, CHAT, RESPONSES, CHAT]);
    await upstream.close();
  });

  it('never searches in a language that cannot', async () => {
    const upstream = xaiUpstream({ baseUrl: server.url, apiKey: 'k', clock: () => new Date(0) });
    server.answer((asked) => (asked.path === CHAT ? byRoute(asked) : json(404, { detail: 'Not Found' })));
    const { signal } = new AbortController();
    const failure = await upstream.complete(request({ webMode: true }), { signal }).catch((error: unknown) => error);
    expect(failure).to.include({ status: 404 });
    expect(paths()).to.deep.equal([RESPONSES]);
    await upstream.close();
  });

  it('does not take a missing model for a missing route', async () => {
    const xai = xaiUpstream({ baseUrl: server.url, apiKey: 'k', clock: () => new Date(0) });
    server.answer(json(404, { code: 'Some requested entity was not found', error: 'The model does not exist' }));
    expect((await replay(xai, true)).failure).to.include({ kind: 'not_found', status: 404 });
    const openRouter = openRouterUpstream({ baseUrl: server.url, apiKey: 'k', clock: () => new Date(0) });
    server.answer(json(404, { error: { code: 404, message: 'No endpoints found matching your data policy' } }));
    expect((await replay(openRouter, true)).failure).to.include({ kind: 'not_found', status: 404 });
    expect(paths()).to.deep.equal([CHAT, '/api/v1/chat/completions']);
    await Promise.all([xai.close(), openRouter.close()]);
  });
});

import { expect } from 'chai';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { generationUsage } from '../../infra/providers/openrouter/generation-look-up.ts';
import { openRouterUpstream } from '../../infra/providers/openrouter/openrouter-upstream.ts';
import { isUpstreamError, type ChatUpstream } from '../../src/kernel/upstream.ts';

const generation = {
  id: 'gen-1',
  total_cost: 0.0015,
  cancelled: true,
  tokens_prompt: 10,
  tokens_completion: 25,
  native_tokens_prompt: 12,
  native_tokens_completion: 30,
  native_tokens_reasoning: 5,
  native_tokens_cached: 3,
};

describe('what OpenRouter says afterwards', () => {
  let server: Server;
  let upstream: ChatUpstream;
  let answers: readonly Readonly<{ status: number; body: unknown }>[] = [];
  let asked: { method: string | undefined; path: string | undefined; key: string | undefined }[] = [];

  before(async () => {
    server = createServer(({ method, url, headers }, response) => {
      asked.push({ method, path: url, key: headers.authorization });
      const { status, body } = answers[asked.length - 1] ?? { status: 500, body: {} };
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    upstream = openRouterUpstream({ apiKey: 'key', baseUrl: `http://127.0.0.1:${port}`, clock: () => new Date() });
  });
  beforeEach(() => {
    asked = [];
  });
  after(async () => {
    await upstream.close();
    server.closeAllConnections();
    server.close();
  });

  const lookUp = (id = 'gen-1') => upstream.lookUp?.(id, { signal: AbortSignal.timeout(5_000) });

  it('is nothing as long as it does not know', async () => {
    answers = [
      { status: 404, body: { error: { code: 404, message: 'Generation gen-1 not found' } } },
      { status: 200, body: { data: { ...generation, native_tokens_completion: null, tokens_completion: null } } },
    ];
    expect(await lookUp()).to.equal(undefined);
    expect(await lookUp()).to.equal(undefined);
  });

  it('is the count of whoever ran the model, each token once', async () => {
    answers = [{ status: 200, body: { data: generation } }];
    const report = await lookUp('gen/1?');
    expect(report?.usage).to.deep.equal({
      inputUncached: 9,
      inputCachedRead: 3,
      inputCacheWrite: 0,
      outputVisible: 25,
      outputReasoning: 5,
      providerCost: '0.0015',
      source: 'looked_up',
      complete: false,
    });
    expect(report?.raw).to.deep.equal(generation);
    expect(asked).to.deep.equal([{ method: 'GET', path: '/api/v1/generation?id=gen%2F1%3F', key: 'Bearer key' }]);
  });

  it('is OpenRouter’s own count where the other is missing', () => {
    const { native_tokens_prompt: _p, native_tokens_completion: _c, ...rest } = generation;
    expect(generationUsage({ data: rest })?.usage).to.include({ inputUncached: 7, outputVisible: 20 });
  });

  it('is not believed when it makes no sense', () => {
    expect(generationUsage({ data: { ...generation, native_tokens_prompt: -1 } })).to.equal(undefined);
    expect(generationUsage({ error: 'what' })).to.equal(undefined);
    expect(generationUsage(null)).to.equal(undefined);
  });

  it('may be refused', async () => {
    answers = [{ status: 401, body: { error: { message: 'no' } } }];
    await lookUp()?.then(
      () => expect.fail('it answered'),
      (error: unknown) => expect(isUpstreamError(error) && error.kind).to.equal('auth'),
    );
  });
});

import { expect } from 'chai';
import { googleUpstream } from '../../infra/providers/google/google-upstream.ts';
import type { ChatUpstream, UpstreamError } from '../../src/kernel/upstream.ts';
import { casesOf } from './recorded-cases.ts';
import { replay, request } from './replay.ts';
import { replayingUpstream, type Replay, type ReplayingUpstream } from './replaying-upstream.ts';

const good = casesOf('gemini').find(({ name }) => name === 'own-text')!;

const refusal = (status: number, message = 'no'): Replay => ({
  status,
  contentType: 'application/json',
  body: Buffer.from(JSON.stringify({ error: { code: status, message, status: 'SOME_STATUS' } })),
});

describe('the keys for Google', () => {
  let server: ReplayingUpstream;
  let upstream: ChatUpstream;
  beforeEach(async () => {
    server = await replayingUpstream();
    upstream = googleUpstream({ baseUrl: server.url, apiKeys: ['a', 'b', 'c'], clock: () => new Date(0) });
  });
  afterEach(async () => {
    await upstream.close();
    await server.stop();
  });

  const keys = (): readonly unknown[] => server.asked.map(({ headers }) => headers['x-goog-api-key']);

  for (const status of [401, 403, 429, 500, 503]) {
    it(`are tried in turn after a ${status}`, async () => {
      server.answer(() => (server.asked.length < 3 ? refusal(status) : good));
      for (const streaming of [true, false]) {
        const { completion, failure } = await replay(upstream, streaming);
        expect(failure).to.equal(undefined);
        expect(completion.text).to.equal(good.expected.text);
      }
      expect(new Set(keys().slice(0, 3))).to.deep.equal(new Set(['a', 'b', 'c']));
    });
  }

  it('are tried once round only', async () => {
    server.answer(refusal(429));
    expect((await replay(upstream, true)).failure).to.include({ kind: 'rate_limit', status: 429 });
    expect(keys()).to.have.length(3);
    expect(new Set(keys()).size).to.equal(3);
  });

  it('are tried in turn when one is no good, which is a 400 here', async () => {
    server.answer(() => (server.asked.length < 2 ? refusal(400, 'API key not valid. Please pass another.') : good));
    expect((await replay(upstream, true)).completion.text).to.equal(good.expected.text);
  });

  it('are left alone when the request itself is wrong', async () => {
    for (const status of [400, 404]) {
      server.answer(refusal(status));
      expect(((await replay(upstream, true)).failure as UpstreamError).status).to.equal(status);
    }
    expect(keys()).to.have.length(2);
  });

  it('stay with a caller, and are shared out between callers', async () => {
    server.answer(good);
    const { signal } = new AbortController();
    const ask = (affinity: string) => upstream.complete(request({ affinity }), { signal });
    for (let call = 0; call < 3; call += 1) await ask('ada');
    expect(new Set(keys()).size).to.equal(1);
    for (let user = 0; user < 30; user += 1) await ask(`user ${user}`);
    expect(new Set(keys()).size).to.equal(3);
  });

  it('are tried in turn when nothing answers', async () => {
    const nobody = googleUpstream({ baseUrl: 'http://127.0.0.1:9', apiKeys: ['a', 'b'], clock: () => new Date(0) });
    expect((await replay(nobody, true)).failure).to.include({ kind: 'network', neverReached: true });
    await nobody.close();
  });
});

import { expect } from 'chai';
import { upstreamsOf } from '../../src/app/upstreams.ts';
import { parseConfig } from '../../src/config.ts';
import { llmEndpoints } from '../../src/http/routes/llm/index.ts';
import type { ChatUpstream } from '../../src/kernel/upstream.ts';
import { givenCompletions, type GivenCompletions } from '../completions/given-completions.ts';
import { CHAT, chat, contentOf, framesOf } from '../completions/given-llm.ts';
import { startHttp, type HttpUnderTest } from '../support/given-http.ts';
import { casesOf } from './recorded-cases.ts';
import { replayingUpstream, type ReplayingUpstream } from './replaying-upstream.ts';

type Provider = Readonly<{
  model: string;
  /** What an operator sets, but for the address. */
  env: Readonly<Record<string, string>>;
  address: string;
  surface: string;
  streamed: string;
  atOnce: string;
  asked: Readonly<{ path: string; key: readonly [header: string, value: string] }>;
}>;

const providers: Readonly<Record<string, Provider>> = {
  anthropic: {
    model: 'anthropic/claude-sonnet-4-5-20250929',
    env: { ANTHROPIC_API_KEY: 'key-a' },
    address: 'ANTHROPIC_BASE_URL',
    surface: 'anthropic',
    streamed: 'own-cached-input',
    atOnce: 'own-tools-json',
    asked: { path: '/v1/messages', key: ['x-api-key', 'key-a'] },
  },
  google: {
    model: 'google/gemini-2.5-pro',
    env: { GOOGLE_API_KEYS: 'key-g' },
    address: 'GOOGLE_BASE_URL',
    surface: 'gemini',
    streamed: 'own-text',
    atOnce: 'own-length-without-content',
    asked: {
      path: '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
      key: ['x-goog-api-key', 'key-g'],
    },
  },
  xai: {
    model: 'xai/grok-4',
    env: { XAI_API_KEY: 'key-x' },
    address: 'XAI_BASE_URL',
    surface: 'xai',
    streamed: 'own-reasoning-beside',
    atOnce: 'own-text-json',
    asked: { path: '/v1/chat/completions', key: ['authorization', 'Bearer key-x'] },
  },
  openrouter: {
    model: 'deepseek/deepseek-r1-0528',
    env: { OPENROUTER_API_KEY: 'key-o' },
    address: 'OPENROUTER_BASE_URL',
    surface: 'openrouter',
    streamed: 'own-comments-and-late-usage',
    atOnce: 'own-tools-json',
    asked: { path: '/api/v1/chat/completions', key: ['authorization', 'Bearer key-o'] },
  },
};

for (const [code, provider] of Object.entries(providers)) {
  describe(`a completion by ${code}`, () => {
    let server: ReplayingUpstream;
    let upstream: ChatUpstream;
    let given: GivenCompletions;
    let http: HttpUnderTest;

    beforeEach(async () => {
      server = await replayingUpstream();
      const config = parseConfig({ ...provider.env, [provider.address]: server.url });
      upstream = upstreamsOf({ config, sandboxUrl: undefined, clock: () => new Date() }).get(code)!;
      given = await givenCompletions(upstream);
      http = await startHttp(llmEndpoints(given));
    });
    afterEach(async () => {
      await given.completions.shutdown({ graceMs: 0, limitMs: 2_000 });
      await http.close();
      await upstream.close();
      await server.stop();
    });

    const recordedAs = (name: string) => casesOf(provider.surface).find((recorded) => recorded.name === name)!;

    const post = (body: object): Promise<Response> =>
      fetch(http.url + CHAT, {
        method: 'POST',
        headers: { authorization: 'Bearer ada', 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });

    it('streams, and charges what the provider counted', async () => {
      const recorded = recordedAs(provider.streamed);
      server.answer(recorded);
      const frames = framesOf(await (await post(chat('Hello', { model: provider.model }))).text());
      expect(contentOf(frames)).to.equal(recorded.expected.text);
      expect(frames.at(-1)!.event).to.equal('stream_completed');
      expect(frames.at(-1)!.data).to.deep.include({
        tokensInput: recorded.expected.prompt_tokens,
        tokensOutput: recorded.expected.completion_tokens,
        cacheReadTokens: recorded.expected.cached_tokens ?? 0,
        cacheWriteTokens: recorded.expected.cache_write_tokens ?? 0,
      });
      const { metered, work } = given.last('ReservationCaptured')!.data;
      expect(work.provider).to.equal(code);
      expect(metered.usage).to.include({ source: 'final', complete: true });
      expect(Number(metered.cost)).to.be.greaterThan(0);
      const [asked] = server.asked;
      expect(asked!.path).to.equal(provider.asked.path);
      expect(asked!.headers[provider.asked.key[0]]).to.equal(provider.asked.key[1]);
    });

    it('answers at once, whatever form the provider answers in', async () => {
      const recorded = recordedAs(provider.atOnce);
      const { text, finish_reason, prompt_tokens, completion_tokens } = recorded.expected;
      server.answer(recorded);
      const response = await post(chat('Hello', { model: provider.model, stream: false }));
      expect(response.status).to.equal(200);
      const body = (await response.json()) as { choices: [{ message: { content: string }; finish_reason: string }] };
      expect(body.choices[0].message.content).to.equal(text);
      expect(body.choices[0].finish_reason).to.equal(finish_reason);
      expect(body).to.have.nested.property('usage.promptTokens', prompt_tokens);
      expect(body).to.have.nested.property('usage.completionTokens', completion_tokens);
    });

    it('says what the provider cannot do before any money is held', async () => {
      const impossible = { model: provider.model, reasoning: { effort: 'gigantic' } };
      const response = await post(chat('Hello', { ...impossible, temperature: 1 }));
      expect(response.status).to.equal(400);
      expect(await response.json()).to.deep.include({ code: 400, error_type: 'validation_error' });
      expect(given.types()).to.deep.equal([]);
      expect(server.asked).to.deep.equal([]);
    });
  });
}

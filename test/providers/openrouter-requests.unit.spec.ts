import { expect } from 'chai';
import { openRouterChatCodec, openRouterResponsesCodec } from '../../infra/providers/openrouter/openrouter-codecs.ts';
import { openRouterUpstream } from '../../infra/providers/openrouter/openrouter-upstream.ts';
import type { UpstreamRequest } from '../../src/kernel/upstream.ts';
import { called, picture, refused, result, say, sent, text, tool } from './requests.ts';
import { replay, request } from './replay.ts';
import { replayingUpstream } from './replaying-upstream.ts';

const asked = (over: Partial<UpstreamRequest>): UpstreamRequest => request({ model: 'moonshotai/kimi-k2', ...over });
const body = (over: Partial<UpstreamRequest>) => sent(openRouterChatCodec, asked(over), true);
const refusal = (over: Partial<UpstreamRequest>) => refused(openRouterChatCodec, asked(over));

describe('a request to OpenRouter', () => {
  it('is Chat Completions, with its cost, by nobody who keeps prompts', () => {
    expect(body({ maxTokens: 64, sampling: { temperature: 0.7, topP: 0.5 } })).to.deep.equal({
      model: 'moonshotai/kimi-k2',
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
      max_tokens: 64,
      temperature: 0.7,
      top_p: 0.5,
      usage: { include: true },
      provider: { data_collection: 'deny' },
    });
  });

  it('goes only to those who can do all that it asks for', () => {
    const strict = { data_collection: 'deny', require_parameters: true };
    const choices: readonly Partial<UpstreamRequest>[] = [
      { tools: [tool] },
      { responseFormat: { type: 'json_object' } },
      { reasoning: { effort: 'low' } },
      { sampling: { topK: 4 } },
      { sampling: { seed: 0 } },
      { sampling: { stop: ['END'] } },
      { sampling: { frequencyPenalty: 1 } },
      { sampling: { presencePenalty: -1 } },
    ];
    for (const over of choices) expect(body(over)['provider']).to.deep.equal(strict);
    expect(
      body({ sampling: { frequencyPenalty: 0, stop: [] }, responseFormat: { type: 'text' } })['provider'],
    ).to.deep.equal({ data_collection: 'deny' });
  });

  it('reasons by effort or by tokens', () => {
    expect(body({ reasoning: { effort: 'high' } })['reasoning']).to.deep.equal({ effort: 'high' });
    expect(body({ reasoning: { budgetTokens: 900 } })['reasoning']).to.deep.equal({ max_tokens: 900 });
    expect(body({ reasoning: { summary: 'auto' } })['reasoning']).to.deep.equal({ enabled: true });
    expect(body({ reasoning: { effort: 'high' } })).to.not.have.property('reasoning_effort');
  });

  it('marks where the prompt is to be kept', () => {
    const messages = [say('developer', { ...text('Long rules.'), cachePoint: true }), say('user', text('x'))];
    expect(body({ messages })['messages']).to.deep.equal([
      { role: 'system', content: [{ type: 'text', text: 'Long rules.', cache_control: { type: 'ephemeral' } }] },
      { role: 'user', content: 'x' },
    ]);
  });

  it('can be said in the words of the Responses API', () => {
    const made = sent(
      openRouterResponsesCodec,
      asked({ webMode: true, maxTokens: 9, sampling: { temperature: 0 } }),
      true,
    );
    expect(made).to.deep.include({ max_output_tokens: 9, temperature: 0, provider: { data_collection: 'deny' } });
    expect(made).to.not.have.property('tools');
  });

  const impossible: readonly (readonly [string, Partial<UpstreamRequest>, RegExp])[] = [
    ['effort and tokens at once', { reasoning: { effort: 'low', budgetTokens: 9 } }, /not both/],
    ['an unknown effort', { reasoning: { effort: 'gigantic' } }, /no reasoning effort/],
    ['a way to sum reasoning up', { reasoning: { summary: 'concise' } }, /summed up/],
    ['a file', { messages: [say('user', { type: 'image', source: { kind: 'file', fileId: 'f' } })] }, /holds no files/],
    ['a picture of a tool', { messages: [called, { ...result, parts: [picture] }] }, /from the user only/],
  ];
  for (const [what, over, words] of impossible) {
    it(`refuses ${what}`, () => {
      expect(refusal(over)).to.match(words);
    });
  }

  it('tells the caller when nobody can do what it asks for', async () => {
    const server = await replayingUpstream();
    const upstream = openRouterUpstream({ baseUrl: server.url, apiKey: 'k', clock: () => new Date(0) });
    const error = { message: 'No endpoints found that can handle the requested parameters.', code: 404 };
    server.answer({ status: 404, contentType: 'application/json', body: Buffer.from(JSON.stringify({ error })) });
    const { failure } = await replay(upstream, true);
    expect(failure)
      .to.be.an('error')
      .with.property('message')
      .that.matches(/^Validation error: nobody at openrouter/);
    expect(server.asked).to.have.length(1);
    expect(server.asked[0]!.headers).to.include({ 'http-referer': 'https://plantocode.com', 'x-title': 'PlanToCode' });
    await upstream.close();
    await server.stop();
  });
});

import { expect } from 'chai';
import { xaiChatCodec, xaiResponsesCodec } from '../../infra/providers/xai/xai-codecs.ts';
import type { UpstreamRequest } from '../../src/kernel/upstream.ts';
import { called, paper, picture, refused, result, say, sent, text, tool } from './requests.ts';
import { request } from './replay.ts';

const asked = (over: Partial<UpstreamRequest>): UpstreamRequest => request({ model: 'grok-4', ...over });
const body = (over: Partial<UpstreamRequest>) => sent(xaiChatCodec, asked(over), true);
const refusal = (over: Partial<UpstreamRequest>) => refused(xaiChatCodec, asked(over));

describe('a request to xAI', () => {
  it('is Chat Completions with its own name for the limit', () => {
    const messages = [say('developer', text('Be brief.')), say('user', text('What?'), picture), called, result];
    const made = body({
      messages,
      maxTokens: 64,
      sampling: { temperature: 0.7, frequencyPenalty: 0, seed: 3 },
      tools: [tool],
      toolChoice: 'required',
      parallelToolCalls: false,
      responseFormat: { type: 'json_object' },
      user: 'ada',
    });
    expect(made).to.deep.include({
      model: 'grok-4',
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: 64,
      temperature: 0.7,
      seed: 3,
      user: 'ada',
      tool_choice: 'required',
      parallel_tool_calls: false,
      response_format: { type: 'json_object' },
    });
    expect(made).to.not.have.any.keys('max_tokens', 'frequency_penalty', 'reasoning_effort');
    expect(made).to.have.nested.property('messages[0].role', 'system');
    expect(made).to.have.nested.property('messages[1].content[1].image_url.url', 'data:image/png;base64,QUJD');
  });

  it('searches the web by the Responses API', () => {
    const messages = [say('system', text('Be brief.')), say('user', text('What is new?'))];
    const made = sent(
      xaiResponsesCodec,
      asked({ messages, webMode: true, tools: [tool], sampling: { temperature: 1 } }),
      true,
    );
    expect(made['input']).to.deep.equal([
      { role: 'system', content: 'Be brief.' },
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'What is new?' }] },
    ]);
    expect(made).to.have.nested.property('tools[0].type', 'web_search');
    expect(made).to.have.nested.property('tools[1].name', 'look');
    expect(made).to.include({ store: false, temperature: 1 });
    expect(made).to.not.have.any.keys('instructions', 'reasoning', 'max_output_tokens');
  });

  const impossible: readonly (readonly [string, Partial<UpstreamRequest>, RegExp])[] = [
    ['top_k', { sampling: { topK: 3 } }, /top_k/],
    ['a frequency penalty of a reasoning model', { sampling: { frequencyPenalty: 1 } }, /frequency_penalty/],
    ['a presence penalty of a reasoning model', { sampling: { presencePenalty: 1 } }, /presence_penalty/],
    ['stop words of a reasoning model', { sampling: { stop: ['END'] } }, /stop/],
    ['a seed while it searches', { webMode: true, sampling: { seed: 1 } }, /seed/],
    ['tokens for reasoning', { reasoning: { budgetTokens: 100 } }, /send an effort/],
    ['an effort of a model that chooses', { reasoning: { effort: 'high' } }, /takes no reasoning effort/],
    ['an unknown effort', { model: 'grok-3-mini', reasoning: { effort: 'medium' } }, /use low, high/],
    ['a way to sum reasoning up', { reasoning: { summary: 'concise' } }, /summed up/],
    ['a file', { messages: [say('user', { type: 'image', source: { kind: 'file', fileId: 'f' } })] }, /data URLs/],
    ['a document', { messages: [say('user', paper)] }, /no documents/],
    ['a picture of a tool', { messages: [called, { ...result, parts: [picture] }] }, /from the user only/],
  ];
  for (const [what, over, words] of impossible) {
    it(`refuses ${what}`, () => {
      expect(refusal(over)).to.match(words);
    });
  }

  it('takes from other models what reasoning ones refuse', () => {
    const sampling = { frequencyPenalty: 1, presencePenalty: 1, stop: ['END'] };
    expect(body({ model: 'grok-3', sampling })).to.include({ frequency_penalty: 1, presence_penalty: 1 });
    expect(body({ model: 'grok-4-fast-non-reasoning', sampling })['stop']).to.deep.equal(['END']);
    expect(body({ model: 'grok-3-mini', reasoning: { effort: 'high' } })).to.include({ reasoning_effort: 'high' });
  });
});

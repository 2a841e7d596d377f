import { expect } from 'chai';
import { messagesCodec } from '../../infra/providers/anthropic/messages-codec.ts';
import type { UpstreamRequest } from '../../src/kernel/upstream.ts';
import { called, conversation, paper, picture, refused, result, say, sent, text, tool } from './requests.ts';
import { request } from './replay.ts';

const MODEL = 'claude-sonnet-4-5-20250929';
const asked = (over: Partial<UpstreamRequest>): UpstreamRequest => request({ model: MODEL, ...over });
const body = (over: Partial<UpstreamRequest>) => sent(messagesCodec, asked(over), true);
const refusal = (over: Partial<UpstreamRequest>) => refused(messagesCodec, asked(over));

describe('a request to Anthropic', () => {
  it('carries the conversation in its own words', () => {
    expect(
      body({
        messages: conversation,
        maxTokens: 64,
        sampling: { temperature: 0.7, topK: 5, stop: ['END'] },
        tools: [tool],
        toolChoice: { name: 'look' },
        user: 'ada',
      }),
    ).to.deep.equal({
      model: MODEL,
      system: 'Be brief.\nBe kind.\n\nUse tools.',
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'QUJD' } },
            {
              type: 'document',
              source: { type: 'base64', media_type: 'application/pdf', data: 'QUJD' },
              title: 'plan.pdf',
            },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'Let me look.' },
            { type: 'tool_use', id: 'call_1', name: 'look', input: { at: 1 } },
            { type: 'tool_use', id: 'call_2', name: 'look', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'call_1', content: [{ type: 'text', text: 'A potato.' }] },
            { type: 'tool_result', tool_use_id: 'call_2', content: [{ type: 'text', text: '{"kind":"beet"}' }] },
            { type: 'text', text: 'And?' },
          ],
        },
      ],
      stream: true,
      max_tokens: 64,
      temperature: 0.7,
      top_k: 5,
      stop_sequences: ['END'],
      metadata: { user_id: 'ada' },
      tools: [{ name: 'look', description: 'Looks.', input_schema: { type: 'object', properties: {} } }],
      tool_choice: { type: 'tool', name: 'look' },
    });
  });

  it('always has an output limit, never above what the model writes', () => {
    expect(body({})).to.include({ max_tokens: 64_000 });
    expect(body({ model: 'claude-opus-4-20250514', maxTokens: 50_000 })).to.include({ max_tokens: 32_000 });
    expect(body({ model: 'claude-of-tomorrow' })).to.include({ max_tokens: 32_000 });
    expect(body({ model: 'claude-of-tomorrow', maxTokens: 90_000 })).to.include({ max_tokens: 90_000 });
  });

  it('marks where the prompt is to be kept', () => {
    const marked = body({
      messages: [
        say('system', { ...text('Long rules.'), cachePoint: true }),
        say('user', { ...picture, cachePoint: true }),
      ],
    });
    const mark = { cache_control: { type: 'ephemeral' } };
    expect(marked['system']).to.deep.equal([{ type: 'text', text: 'Long rules.', ...mark }]);
    expect(marked).to.have.nested.property('messages[0].content[0].cache_control.type', 'ephemeral');
  });

  it('thinks by effort or by tokens, within the output limit', () => {
    const thinking = (over: Partial<UpstreamRequest>) => body(over)['thinking'];
    expect(thinking({})).to.equal(undefined);
    expect(thinking({ reasoning: { effort: 'none' } })).to.equal(undefined);
    const tokens = (budget_tokens: number) => ({ type: 'enabled', budget_tokens });
    expect(thinking({ maxTokens: 10_000, reasoning: { effort: 'high' } })).to.deep.equal(tokens(8_000));
    expect(thinking({ maxTokens: 2_000, reasoning: { effort: 'low' } })).to.deep.equal(tokens(1_024));
    expect(thinking({ reasoning: { effort: 'xhigh' } })).to.deep.equal(tokens(32_000));
    expect(thinking({ maxTokens: 9_000, reasoning: { summary: 'auto' } })).to.deep.equal(tokens(4_500));
    expect(thinking({ maxTokens: 9_000, reasoning: { budgetTokens: 3_000 } })).to.deep.equal(tokens(3_000));
  });

  it('keeps to schemas where the model does', () => {
    const schema = { type: 'object' };
    const made = body({
      tools: [{ ...tool, strict: true }],
      toolChoice: 'required',
      parallelToolCalls: false,
      responseFormat: { type: 'json_schema', name: 'answer', schema, strict: true },
    });
    expect(made['output_config']).to.deep.equal({ format: { type: 'json_schema', schema } });
    expect(made).to.have.nested.property('tools[0].strict', true);
    expect(made['tool_choice']).to.deep.equal({ type: 'any', disable_parallel_tool_use: true });
    expect(body({ tools: [tool], parallelToolCalls: false })['tool_choice']).to.deep.equal({
      type: 'auto',
      disable_parallel_tool_use: true,
    });
    expect(body({ tools: [tool], toolChoice: 'none', parallelToolCalls: false })['tool_choice']).to.deep.equal({
      type: 'none',
    });
  });

  it('names the files that the provider holds, and says so in a header', () => {
    const source = { kind: 'file', fileId: 'file_1' } as const;
    const held = asked({ messages: [say('user', { type: 'document', source })] });
    expect(sent(messagesCodec, held, false)).to.have.nested.property('messages[0].content[0].source.file_id', 'file_1');
    expect(messagesCodec.headers!(held)).to.deep.equal({ 'anthropic-beta': 'files-api-2025-04-14' });
    expect(messagesCodec.headers!(asked({}))).to.deep.equal({});
  });

  const json = { type: 'json_schema', name: 'a', schema: {} } as const;
  const impossible: readonly (readonly [string, Partial<UpstreamRequest>, RegExp])[] = [
    ['a temperature above 1', { sampling: { temperature: 1.5 } }, /temperature/],
    ['two samplers at a newer model', { sampling: { temperature: 1, topP: 0.5 } }, /not both/],
    ['a frequency penalty', { sampling: { frequencyPenalty: 1 } }, /frequency_penalty/],
    ['a presence penalty', { sampling: { presencePenalty: -1 } }, /presence_penalty/],
    ['a seed', { sampling: { seed: 0 } }, /seed/],
    ['a stop at white space', { sampling: { stop: ['\n'] } }, /white space/],
    ['a picture of the system', { messages: [say('system', picture), say('user', text('x'))] }, /from the user/],
    ['image detail', { messages: [say('user', { ...picture, detail: 'high' })] }, /detail/],
    [
      'five marks',
      { messages: [say('user', ...Array.from({ length: 5 }, () => ({ ...text('x'), cachePoint: true as const })))] },
      /at most 4/,
    ],
    ['JSON without a schema', { responseFormat: { type: 'json_object' } }, /json_object/],
    ['a schema at an older model', { model: 'claude-opus-4-20250514', responseFormat: json }, /newer model/],
    [
      'strict tools at an older model',
      { model: 'claude-3-7-sonnet-20250219', tools: [{ ...tool, strict: true }] },
      /strict/,
    ],
    ['results without tools', { messages: [called, result] }, /send `tools` again/],
    [
      'thinking at another temperature',
      { reasoning: { effort: 'low' }, sampling: { temperature: 0.5 } },
      /temperature of 1/,
    ],
    ['thinking with top_k', { reasoning: { effort: 'low' }, sampling: { topK: 1 } }, /top_k/],
    ['thinking with a low top_p', { reasoning: { effort: 'low' }, sampling: { topP: 0.5 } }, /top_p/],
    ['thinking and a forced tool', { reasoning: { effort: 'low' }, tools: [tool], toolChoice: 'required' }, /auto/],
    [
      'thinking between tools',
      { reasoning: { effort: 'low' }, tools: [tool], messages: [called, result] },
      /signed thoughts/,
    ],
    ['thinking before given words', { reasoning: { effort: 'low' }, messages: [called] }, /words that are given/],
    ['thinking of an old model', { model: 'claude-3-5-haiku', reasoning: { effort: 'low' } }, /does not reason/],
    ['a way to sum reasoning up', { reasoning: { summary: 'detailed' } }, /summed up/],
    ['an unknown effort', { reasoning: { effort: 'toString' } }, /no reasoning effort/],
    ['too little thinking', { reasoning: { budgetTokens: 100 } }, /1024 tokens or more/],
    ['more thinking than output', { maxTokens: 1_024, reasoning: { effort: 'low' } }, /must be more/],
  ];
  for (const [what, over, words] of impossible) {
    it(`refuses ${what}`, () => {
      expect(refusal(over)).to.match(words);
    });
  }

  it('takes what says nothing', () => {
    expect(refusal({ sampling: { frequencyPenalty: 0, presencePenalty: 0, temperature: 1 } })).to.equal(undefined);
    expect(refusal({ messages: [say('user', { ...picture, detail: 'auto' }, paper)] })).to.equal(undefined);
    expect(refusal({ model: 'claude-3-7-sonnet-20250219', sampling: { temperature: 1, topP: 0.5 } })).to.equal(
      undefined,
    );
  });

  it('refuses arguments that are no object', () => {
    for (const args of ['[1]', '"x"', '{', 'null']) {
      const broken = {
        role: 'assistant',
        parts: [],
        toolCalls: [{ id: 'call_1', name: 'look', arguments: args }],
      } as const;
      expect(refusal({ messages: [broken, result], tools: [tool] })).to.match(/not a JSON object/);
    }
  });
});

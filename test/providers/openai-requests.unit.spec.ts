import { expect } from 'chai';
import { openAiChatCodec } from '../../infra/providers/openai/chat-codec.ts';
import { chatRequest } from '../../infra/providers/openai/chat-request.ts';
import { splitInstructions } from '../../infra/providers/openai/long-instructions.ts';
import { responsesCodec } from '../../infra/providers/openai/responses-codec.ts';
import { responsesRequest } from '../../infra/providers/openai/responses-request.ts';
import type { ChatMessage, Part, UpstreamRequest } from '../../src/kernel/upstream.ts';
import { request } from './replay.ts';
import { called, refused, result, tool } from './requests.ts';

const say = (role: 'system' | 'developer' | 'user', ...parts: Part[]): ChatMessage => ({ role, parts });
const text = (words: string): Part => ({ type: 'text', text: words });
const picture: Part = { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'QUJD' } };
const paper: Part = {
  type: 'document',
  source: { kind: 'base64', mediaType: 'application/pdf', data: 'QUJD' },
  fileName: 'plan.pdf',
};

const conversation: readonly ChatMessage[] = [
  say('system', text('Be brief.'), text('Be kind.')),
  say('developer', text('Use tools.')),
  say('user', text('What is it?'), picture, paper),
  {
    role: 'assistant',
    parts: [text('Let me look.')],
    toolCalls: [{ id: 'call_1', name: 'look', arguments: '{"at":1}' }],
  },
  { role: 'tool', toolCallId: 'call_1', parts: [text('A potato.')] },
];

const full: UpstreamRequest = request({
  model: 'gpt-5-mini',
  messages: conversation,
  maxTokens: 64,
  sampling: { temperature: 0.7, topP: 0.9, stop: ['END'] },
  tools: [{ name: 'look', description: 'Looks.', parameters: { type: 'object' } }],
  toolChoice: { name: 'look' },
  reasoning: { effort: 'low' },
  responseFormat: { type: 'json_schema', name: 'answer', schema: { type: 'object' }, strict: true },
});

/** As it goes over the wire: members that are undefined are not there. */
const sent = (body: unknown): Record<string, unknown> => JSON.parse(JSON.stringify(body)) as Record<string, unknown>;

describe('a request to the Responses API', () => {
  it('carries the conversation in its own words', () => {
    expect(sent(responsesRequest(full, true))).to.deep.equal({
      model: 'gpt-5-mini',
      instructions: 'Be brief.\nBe kind. Use tools.',
      input: [
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'What is it?' },
            { type: 'input_image', image_url: 'data:image/png;base64,QUJD', detail: 'auto' },
            { type: 'input_file', filename: 'plan.pdf', file_data: 'data:application/pdf;base64,QUJD' },
          ],
        },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Let me look.' }] },
        { type: 'function_call', call_id: 'call_1', name: 'look', arguments: '{"at":1}' },
        { type: 'function_call_output', call_id: 'call_1', output: 'A potato.' },
      ],
      stream: true,
      store: false,
      max_output_tokens: 64,
      stop: ['END'],
      reasoning: { effort: 'low' },
      text: { format: { type: 'json_schema', name: 'answer', schema: { type: 'object' }, strict: true } },
      tools: [{ type: 'function', name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: false }],
      tool_choice: { type: 'function', name: 'look' },
    });
  });

  it('samples as asked where the model does, and sends no temperature to one that reasons', () => {
    const sampling = { temperature: 0.2, topP: 0.5, frequencyPenalty: 0 };
    const body = (over: Partial<UpstreamRequest>) => sent(responsesRequest(request({ sampling, ...over }), true));
    for (const over of [{ model: 'gpt-4.1' }, { model: 'gpt-5.2', reasoning: { effort: 'none' } }]) {
      expect(body(over)).to.include({ temperature: 0.2, top_p: 0.5 });
      expect(body(over)).to.not.have.property('frequency_penalty');
    }
    expect(body({ model: 'gpt-5-mini' })).to.not.have.any.keys('temperature', 'top_p', 'frequency_penalty');
  });

  it('carries what a tool shows', () => {
    const messages = [called, { ...result, parts: [text('This.'), picture] }];
    expect(sent(responsesRequest(request({ messages, tools: [tool] }), true))).to.have.deep.nested.property(
      'input[3].output',
      [
        { type: 'input_text', text: 'This.' },
        { type: 'input_image', image_url: 'data:image/png;base64,QUJD', detail: 'auto' },
      ],
    );
  });

  const impossible: readonly (readonly [string, Partial<UpstreamRequest>, RegExp])[] = [
    ['top_k', { sampling: { topK: 3 } }, /no top_k/],
    ['a top_p of a model that reasons', { sampling: { topP: 0.5 } }, /no top_p while it reasons/],
    ['stop words of a model that reasons', { sampling: { stop: ['END'] } }, /takes no stop/],
    ['a seed of a model that reasons', { sampling: { seed: 0 } }, /takes no stop, seed/],
    ['a penalty of a model that reasons', { sampling: { presencePenalty: 1 } }, /presence_penalty/],
    ['a seed while it searches', { model: 'gpt-4.1', webMode: true, sampling: { seed: 1 } }, /searches the web/],
    ['tokens for reasoning', { reasoning: { budgetTokens: 2_000 } }, /send an effort/],
    ['an effort that the model does not know', { reasoning: { effort: 'xhigh' } }, /use minimal, low, medium, high/],
    ['another effort of a research model', { model: 'o3-deep-research', reasoning: { effort: 'low' } }, /use medium/],
    ['reasoning of a model that does not', { model: 'gpt-4.1', reasoning: { effort: 'low' } }, /does not reason/],
    ['reasoning of a chat model', { model: 'gpt-5.1-chat-latest', reasoning: { effort: 'low' } }, /does not reason/],
    ['a picture of the system', { messages: [say('system', picture), say('user', text('x'))] }, /from the user/],
  ];
  for (const [what, over, words] of impossible) {
    it(`refuses ${what}`, () => {
      expect(refused(responsesCodec, request({ model: 'gpt-5-mini', ...over }))).to.match(words);
    });
  }

  it('takes what says nothing, and every effort that a model knows', () => {
    const fine: readonly Partial<UpstreamRequest>[] = [
      { sampling: { topP: 1, frequencyPenalty: 0, presencePenalty: 0, stop: [], temperature: 0.7 } },
      { model: 'gpt-4.1', reasoning: { effort: 'none' } },
      { model: 'gpt-5.2-codex', reasoning: { effort: 'xhigh' } },
      { model: 'gpt-5.2-pro-2025-12-11', reasoning: { effort: 'xhigh' } },
      { model: 'o3', reasoning: { effort: 'high', summary: 'detailed' } },
      { model: 'gpt-5.1', reasoning: { effort: 'none' }, sampling: { topP: 0.5 } },
    ];
    for (const over of fine)
      expect(refused(responsesCodec, request({ model: 'gpt-5-mini', ...over }))).to.equal(undefined);
  });

  it('lets the model search in web mode, without an output limit', () => {
    const body = sent(responsesRequest(request({ model: 'gpt-5.2-2025-12-11', webMode: true, maxTokens: 9 }), true));
    expect(body['tools']).to.deep.equal([
      { type: 'web_search_preview', search_context_size: 'low', user_location: { type: 'approximate' } },
    ]);
    expect(body['reasoning']).to.deep.equal({ effort: 'xhigh', summary: 'auto' });
    expect(body).to.not.have.property('max_output_tokens');
    const older = sent(responsesRequest(request({ model: 'o3', webMode: true }), true));
    expect(older['reasoning']).to.deep.equal({ effort: 'high', summary: 'auto' });
    const plain = sent(responsesRequest(request({ model: 'gpt-4.1', webMode: true }), true));
    expect(plain).to.not.have.property('reasoning');
  });

  it('gives research models the search that they insist on', () => {
    const body = sent(responsesRequest(request({ model: 'o4-mini-deep-research-2025-06-26' }), true));
    expect((body['tools'] as { type: string }[])[0]?.type).to.equal('web_search_preview');
  });

  it('moves what is too long for the instructions into the conversation, between characters', () => {
    const { instructions, rest } = splitInstructions('é'.repeat(600_000));
    expect(Buffer.byteLength(instructions)).to.equal(1_000_000);
    expect(instructions).to.not.include('\ufffd');
    expect(rest).to.match(/é{100000}$/);
    const lines = `${'a'.repeat(900_000)}\n${'b'.repeat(200_000)}`;
    expect(splitInstructions(lines).instructions).to.equal('a'.repeat(900_000));
    expect(splitInstructions('short')).to.deep.equal({ instructions: 'short', rest: undefined });
  });
});

describe('a request to Chat Completions', () => {
  it('carries the conversation in its own words and always asks for usage', () => {
    expect(sent(chatRequest(full, true))).to.deep.equal({
      model: 'gpt-5-mini',
      messages: [
        {
          role: 'system',
          content: [
            { type: 'text', text: 'Be brief.' },
            { type: 'text', text: 'Be kind.' },
          ],
        },
        { role: 'developer', content: 'Use tools.' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is it?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } },
            { type: 'file', file: { filename: 'plan.pdf', file_data: 'data:application/pdf;base64,QUJD' } },
          ],
        },
        {
          role: 'assistant',
          content: 'Let me look.',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":1}' } }],
        },
        { role: 'tool', tool_call_id: 'call_1', content: 'A potato.' },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_tokens: 64,
      temperature: 0.7,
      top_p: 0.9,
      stop: ['END'],
      reasoning_effort: 'low',
      response_format: {
        type: 'json_schema',
        json_schema: { name: 'answer', schema: { type: 'object' }, strict: true },
      },
      tools: [{ type: 'function', function: { name: 'look', description: 'Looks.', parameters: { type: 'object' } } }],
      tool_choice: { type: 'function', function: { name: 'look' } },
    });
  });

  it('tells a model that does not reason nothing of it', () => {
    const made = openAiChatCodec.encode(request({ model: 'gpt-4.1', reasoning: { effort: 'none' } }), true);
    expect(sent(made)).to.not.have.property('reasoning_effort');
    expect(sent(openAiChatCodec.encode(full, true))).to.include({ reasoning_effort: 'low' });
  });

  it('refuses what they cannot say', () => {
    const refusal = (over: Partial<UpstreamRequest>) =>
      refused(openAiChatCodec, request({ model: 'gpt-4.1', ...over }));
    expect(refusal({ sampling: { topK: 1 } })).to.match(/top_k/);
    expect(refusal({ messages: [called, { ...result, parts: [picture] }] })).to.match(/from the user only/);
    expect(refusal({ reasoning: { effort: 'none', summary: 'concise' } })).to.match(/summed up/);
    const held: Part = { type: 'image', source: { kind: 'file', fileId: 'https://example.test/a.png' } };
    expect(refusal({ messages: [say('user', held)] })).to.match(/the data of images only/);
    expect(refusal({ sampling: { seed: 1, stop: ['END'], frequencyPenalty: 1 } })).to.equal(undefined);
  });

  it('asks for no stream options when it does not stream', () => {
    expect(sent(chatRequest(request(), false))).to.not.have.property('stream_options');
  });
});

import { expect } from 'chai';
import { chatRequest } from '../../infra/providers/openai/chat-request.ts';
import { splitInstructions } from '../../infra/providers/openai/long-instructions.ts';
import { responsesRequest } from '../../infra/providers/openai/responses-request.ts';
import type { ChatMessage, Part, UpstreamRequest } from '../../src/kernel/upstream.ts';
import { request } from './replay.ts';

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
      top_p: 0.9,
      stop: ['END'],
      reasoning: { effort: 'low' },
      text: { format: { type: 'json_schema', name: 'answer', schema: { type: 'object' }, strict: true } },
      tools: [{ type: 'function', name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: false }],
      tool_choice: { type: 'function', name: 'look' },
    });
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

  it('asks for no stream options when it does not stream', () => {
    expect(sent(chatRequest(request(), false))).to.not.have.property('stream_options');
  });
});

import { expect } from 'chai';
import { generateCodec } from '../../infra/providers/google/generate-codec.ts';
import type { UpstreamRequest } from '../../src/kernel/upstream.ts';
import { called, conversation, picture, refused, result, say, sent, text, tool } from './requests.ts';
import { request } from './replay.ts';

const asked = (over: Partial<UpstreamRequest>): UpstreamRequest => request({ model: 'gemini-2.5-pro', ...over });
const body = (over: Partial<UpstreamRequest>) => sent(generateCodec, asked(over), true);
const refusal = (over: Partial<UpstreamRequest>) => refused(generateCodec, asked(over));
const thinking = (over: Partial<UpstreamRequest>) =>
  (body(over)['generationConfig'] as { thinkingConfig?: unknown }).thinkingConfig;

describe('a request to Google', () => {
  it('carries the conversation in its own words', () => {
    expect(
      body({
        messages: conversation,
        maxTokens: 64_000,
        sampling: { temperature: 0.7, topP: 0.9, topK: 5, seed: 3, presencePenalty: 1, stop: ['END'] },
        tools: [tool],
        toolChoice: { name: 'look' },
      }),
    ).to.deep.equal({
      systemInstruction: { parts: [{ text: 'Be brief.' }, { text: 'Be kind.' }, { text: 'Use tools.' }] },
      contents: [
        {
          role: 'user',
          parts: [
            { text: 'What is it?' },
            { inlineData: { mimeType: 'image/png', data: 'QUJD' } },
            { inlineData: { mimeType: 'application/pdf', data: 'QUJD' } },
          ],
        },
        {
          role: 'model',
          parts: [
            { text: 'Let me look.' },
            { functionCall: { name: 'look', args: { at: 1 } } },
            { functionCall: { name: 'look', args: {} } },
          ],
        },
        {
          role: 'user',
          parts: [
            { functionResponse: { name: 'look', response: { result: 'A potato.' } } },
            { functionResponse: { name: 'look', response: { kind: 'beet' } } },
            { text: 'And?' },
          ],
        },
      ],
      generationConfig: {
        maxOutputTokens: 64_000,
        temperature: 0.7,
        topP: 0.9,
        topK: 5,
        seed: 3,
        presencePenalty: 1,
        stopSequences: ['END'],
        thinkingConfig: { thinkingBudget: 10_000 },
      },
      tools: [
        {
          functionDeclarations: [
            { name: 'look', description: 'Looks.', parametersJsonSchema: { type: 'object', properties: {} } },
          ],
        },
      ],
      toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['look'] } },
    });
  });

  it('names model and manner in the path', () => {
    const { path } = generateCodec;
    if (typeof path === 'string') return expect.fail('one path for all');
    expect(path(asked({}), false)).to.equal('/models/gemini-2.5-pro:generateContent');
    expect(path(asked({ model: 'a/b?c' }), true)).to.equal('/models/a%2Fb%3Fc:streamGenerateContent?alt=sse');
  });

  it('gives back the ids that the provider gave, and signs for models that insist', () => {
    const messages = [
      say('user', text('x')),
      { role: 'assistant', parts: [], toolCalls: [{ id: 'their1', name: 'look', arguments: '{}' }] } as const,
      { role: 'tool', toolCallId: 'their1', parts: [text('ok')] } as const,
    ];
    expect(body({ model: 'gemini-3-pro-preview', messages, tools: [tool] })['contents']).to.deep.equal([
      { role: 'user', parts: [{ text: 'x' }] },
      {
        role: 'model',
        parts: [
          {
            functionCall: { id: 'their1', name: 'look', args: {} },
            thoughtSignature: 'skip_thought_signature_validator',
          },
        ],
      },
      { role: 'user', parts: [{ functionResponse: { id: 'their1', name: 'look', response: { result: 'ok' } } }] },
    ]);
  });

  it('names the files that the provider holds', () => {
    const file = (fileId: string) => say('user', { type: 'document', source: { kind: 'file', fileId } });
    const uri = (fileId: string) => body({ messages: [file(fileId)] })['contents'];
    const there = (fileUri: string) => [{ role: 'user', parts: [{ fileData: { fileUri } }] }];
    for (const fileId of ['gs://bucket/plan.pdf', 'https://generativelanguage.googleapis.com/v1beta/files/a']) {
      expect(uri(fileId)).to.deep.equal(there(fileId));
      expect(refusal({ messages: [file(fileId)] })).to.equal(undefined);
    }
    expect(uri('files/abc')).to.deep.equal(there('https://generativelanguage.googleapis.com/v1beta/files/abc'));
  });

  it('lets the model think, but never away all that it may write', () => {
    expect(thinking({})).to.deep.equal({ thinkingBudget: 10_000 });
    expect(thinking({ maxTokens: 4_096 })).to.deep.equal({ thinkingBudget: 2_048 });
    expect(thinking({ maxTokens: 10 })).to.deep.equal({ thinkingBudget: 128 });
    expect(thinking({ model: 'gemini-2.0-flash' })).to.equal(undefined);
  });

  it('thinks as told, and then shows it', () => {
    const shown = { includeThoughts: true };
    expect(thinking({ reasoning: { effort: 'medium' } })).to.deep.equal({ ...shown, thinkingBudget: 8_192 });
    expect(thinking({ reasoning: { budgetTokens: 500 } })).to.deep.equal({ ...shown, thinkingBudget: 500 });
    expect(thinking({ reasoning: { summary: 'auto' } })).to.deep.equal({ ...shown, thinkingBudget: 10_000 });
    expect(thinking({ model: 'gemini-2.5-flash', reasoning: { effort: 'none' } })).to.deep.equal({ thinkingBudget: 0 });
    const three = { model: 'gemini-3-flash-preview', reasoning: { effort: 'minimal' } };
    expect(thinking(three)).to.deep.equal({ ...shown, thinkingLevel: 'minimal' });
    expect(thinking({ model: 'gemini-2.0-flash', reasoning: { effort: 'none' } })).to.equal(undefined);
  });

  it('answers in JSON, with and without a schema', () => {
    const schema = { type: 'object' };
    const config = (over: Partial<UpstreamRequest>) => body(over)['generationConfig'];
    expect(config({ responseFormat: { type: 'json_object' } })).to.include({ responseMimeType: 'application/json' });
    expect(config({ responseFormat: { type: 'json_schema', name: 'a', schema } })).to.deep.include({
      responseMimeType: 'application/json',
      responseJsonSchema: schema,
    });
    const described = { type: 'json_schema', name: 'a', schema, description: 'An answer.' } as const;
    expect(config({ responseFormat: described })).to.deep.include({
      responseJsonSchema: { description: 'An answer.', type: 'object' },
    });
    expect(config({ responseFormat: { type: 'text' } })).to.not.have.property('responseMimeType');
  });

  it('chooses tools as told', () => {
    const mode = (over: Partial<UpstreamRequest>) => body({ tools: [tool], ...over })['toolConfig'];
    const calling = (name: string) => ({ functionCallingConfig: { mode: name } });
    expect(mode({})).to.equal(undefined);
    expect(mode({ toolChoice: 'auto' })).to.deep.equal(calling('AUTO'));
    expect(mode({ toolChoice: 'none' })).to.deep.equal(calling('NONE'));
    expect(mode({ toolChoice: 'required' })).to.deep.equal(calling('ANY'));
    expect(mode({ tools: [{ ...tool, strict: true }] })).to.deep.equal(calling('VALIDATED'));
  });

  const user = say('user', text('x'));
  const impossible: readonly (readonly [string, Partial<UpstreamRequest>, RegExp])[] = [
    ['a conversation that the model begins', { messages: [called, result] }, /put them first/],
    ['a picture of a tool', { messages: [user, called, { ...result, parts: [picture] }] }, /from the user only/],
    ['image detail', { messages: [say('user', { ...picture, detail: 'low' })] }, /detail/],
    [
      'a file on another server',
      { messages: [say('user', { type: 'image', source: { kind: 'file', fileId: 'https://example.test/a.png' } })] },
      /nothing is fetched/,
    ],
    ['six stop words', { sampling: { stop: ['a', 'b', 'c', 'd', 'e', 'f'] } }, /at most 5/],
    ['one tool at a time', { tools: [tool], parallelToolCalls: false }, /parallel_tool_calls/],
    ['JSON and tools at an older model', { tools: [tool], responseFormat: { type: 'json_object' } }, /not both/],
    ['a name of the user', { user: 'ada' }, /`user`/],
    ['a way to sum reasoning up', { reasoning: { summary: 'detailed' } }, /summed up/],
    ['a result of no call', { messages: [user, result] }, /no message before/],
    ['no thinking where it must be', { reasoning: { effort: 'none' } }, /cannot leave reasoning out/],
    ['too much thinking', { reasoning: { budgetTokens: 40_000 } }, /128 to 32768/],
    ['an unknown effort', { reasoning: { effort: 'xhigh' } }, /no reasoning effort/],
    ['an unknown level', { model: 'gemini-3-pro-preview', reasoning: { effort: 'medium' } }, /use low, high/],
    ['thinking of an old model', { model: 'gemini-2.0-flash', reasoning: { effort: 'low' } }, /does not reason/],
  ];
  for (const [what, over, words] of impossible) {
    it(`refuses ${what}`, () => {
      expect(refusal(over)).to.match(words);
    });
  }

  it('takes JSON and tools together at a newer model', () => {
    const both = { tools: [tool], responseFormat: { type: 'json_object' } } as const;
    expect(refusal({ model: 'gemini-3-flash-preview', ...both })).to.equal(undefined);
  });
});

import { expect } from 'chai';
import { chatBody, orderOf } from '../../src/http/routes/llm/chat-body.ts';
import { desktopBody, desktopOrderOf } from '../../src/http/routes/llm/desktop-body.ts';
import { isDomainError } from '../../src/kernel/errors.ts';

const orderFor = (over: object) =>
  orderOf('ada', chatBody.parse({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...over }));

const refusalOf = (content: unknown): string => {
  try {
    orderFor({ messages: [{ role: 'user', content }] });
  } catch (error) {
    if (isDomainError(error)) return error.detail;
    throw error;
  }
  return 'fine';
};

const partsOf = (content: unknown) => orderFor({ messages: [{ role: 'user', content }] }).task.messages[0]!.parts;

describe('the body of a chat request', () => {
  it('means little when it says little', () => {
    expect(orderFor({ duration_ms: 5, request_id: 'x', cache_control: {}, stop: [], tools: [] })).to.deep.equal({
      userId: 'ada',
      modelId: 'm',
      taskType: 'general',
      task: { messages: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }], sampling: {}, tools: [] },
      streamed: false,
    });
  });

  it('is read with all that it says', () => {
    const { task } = orderFor({
      system: 'Be kind.',
      max_tokens: 5,
      max_completion_tokens: 7,
      temperature: 0.5,
      top_p: null,
      stop: 'END',
      tools: [{ type: 'function', function: { name: 'look', parameters: { type: 'object' } } }],
      tool_choice: { type: 'function', function: { name: 'look' } },
      reasoning_effort: 'low',
      response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } },
    });
    expect(task).to.deep.include({
      maxTokens: 7,
      sampling: { temperature: 0.5, stop: ['END'] },
      tools: [{ name: 'look', parameters: { type: 'object' } }],
      toolChoice: { name: 'look' },
      reasoning: { effort: 'low' },
      responseFormat: { type: 'json_schema', name: 'a', schema: {} },
    });
    expect(task.messages[0]).to.deep.equal({ role: 'system', parts: [{ type: 'text', text: 'Be kind.' }] });
  });

  it('is refused when it asks for what nobody is told', () => {
    const fits = (over: object) =>
      desktopBody.safeParse({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...over }).success;
    const impossible = [
      { logprobs: true },
      { top_logprobs: 2 },
      { logit_bias: { 50256: -100 } },
      { functions: [{ name: 'look' }] },
      { function_call: 'auto' },
      { modalities: ['text', 'audio'] },
      { audio: { voice: 'ash' } },
      { service_tier: 'flex' },
      { verbosity: 'low' },
      { web_search_options: {} },
      { thinking: { type: 'enabled' } },
      { generationConfig: { responseSchema: {} } },
      { n: 2 },
    ];
    for (const over of impossible) expect(fits(over), JSON.stringify(over)).to.equal(false);
    const nothing = {
      logprobs: false,
      top_logprobs: 0,
      logit_bias: {},
      functions: [],
      modalities: ['text'],
      audio: null,
    };
    expect(fits({ ...nothing, service_tier: 'auto', duration_ms: 5, request_id: 'r', stream_options: {} })).to.equal(
      true,
    );
  });

  it('chooses among the tools that it offers', () => {
    const choosing = (over: object): string => {
      try {
        orderFor(over);
      } catch (error) {
        if (isDomainError(error)) return error.detail;
        throw error;
      }
      return 'fine';
    };
    const tools = [{ type: 'function', function: { name: 'look' } }];
    const named = { type: 'function', function: { name: 'listen' } };
    expect(choosing({ tool_choice: 'required' })).to.equal('tool_choice needs tools');
    expect(choosing({ tools, tool_choice: named })).to.equal('tool_choice must name one of the tools');
    expect(choosing({ tool_choice: 'none' })).to.equal('fine');
  });

  it('may set what Gemini knows in its own names', () => {
    const read = (config: object) =>
      desktopOrderOf(
        'ada',
        desktopBody.parse({
          model: 'm',
          messages: [{ role: 'user', content: 'Hi' }],
          temperature: 1,
          top_p: 0.5,
          generationConfig: config,
        }),
      ).task;
    expect(
      read({
        temperature: 0.2,
        topK: 3,
        maxOutputTokens: 9,
        stopSequences: ['END'],
        responseMimeType: 'application/json',
      }),
    ).to.deep.include({
      sampling: { temperature: 0.2, topP: 0.5, topK: 3, stop: ['END'] },
      maxTokens: 9,
      responseFormat: { type: 'json_object' },
    });
    expect(read({ thinkingConfig: { thinkingBudget: 500, includeThoughts: true } }).reasoning).to.deep.equal({
      budgetTokens: 500,
    });
    expect(read({ thinkingConfig: { thinkingLevel: 'HIGH' } }).reasoning).to.deep.equal({ effort: 'high' });
    expect(read({ thinkingConfig: { thinkingBudget: 0 } }).reasoning).to.deep.equal({ effort: 'none' });
    expect(read({}).reasoning).to.equal(undefined);
  });

  it('may hold pictures and documents in every spelling', () => {
    const png = { kind: 'base64', mediaType: 'image/png', data: 'QUJD' };
    const spellings = [
      { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } },
      { type: 'image_url', image_url: 'data:image/png;base64,QUJD' },
      { type: 'input_image', image_url: 'data:image/PNG;name=a;base64,QU\nJD' },
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'QUJD' } },
      { type: 'image', source: { type: 'url', url: 'data:image/png;base64,QUJD' } },
    ];
    for (const spelling of spellings) expect(partsOf([spelling])).to.deep.equal([{ type: 'image', source: png }]);
    expect(partsOf([{ type: 'input_image', file_id: 'file-1', detail: 'low' }])).to.deep.equal([
      { type: 'image', source: { kind: 'file', fileId: 'file-1' }, detail: 'low' },
    ]);
    expect(partsOf([{ type: 'image_url', image_url: 'data:image/jpg;base64,QUJD' }])[0]).to.deep.include({
      source: { kind: 'base64', mediaType: 'image/jpeg', data: 'QUJD' },
    });
    const source = { type: 'base64', media_type: 'application/pdf', data: 'QUJD', file_name: 'a.pdf' };
    expect(partsOf([{ type: 'document', source }])[0]).to.deep.include({ type: 'document', fileName: 'a.pdf' });
  });

  it('is refused when a part makes no sense, and the place is named', () => {
    expect(refusalOf([{ type: 'text', text: 'a' }, { type: 'video' }])).to.match(/^messages\.0\.content\.1 has a type/);
    expect(refusalOf([{ type: 'constructor' }])).to.include('has a type that is not known');
    expect(refusalOf([{ type: 'text' }])).to.include('.text must be a string');
    expect(refusalOf([{ type: 'image_url', image_url: 'http://example.test/a.png' }])).to.include('another server');
    expect(refusalOf([{ type: 'image_url', image_url: 'data:image/png,abc' }])).to.include('data URL in base64');
    expect(refusalOf([{ type: 'image_url', image_url: 'data:text/html;base64,QUJD' }])).to.include('is no image');
    expect(refusalOf([{ type: 'image_url', image_url: 'data:image/png;base64,QU_D' }])).to.include(
      'messages.0.content.0.image_url is not valid base64',
    );
    expect(refusalOf([{ type: 'image', source: { type: 'base64' } }])).to.include('.source must be');
    expect(refusalOf([null])).to.include('has a type that is not known');
    expect(refusalOf(7)).to.include('must be a string or a list of parts');
    expect(refusalOf(undefined)).to.include('content is missing');
  });

  it('may carry tool calls and their results', () => {
    const { task } = orderFor({
      messages: [
        { role: 'user', content: 'Look' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'seen' },
      ],
    });
    expect(task.messages[1]).to.deep.equal({
      role: 'assistant',
      parts: [],
      toolCalls: [{ id: 'c', name: 'f', arguments: '{}' }],
    });
    expect(task.messages[2]).to.deep.include({ role: 'tool', toolCallId: 'c' });
    for (const wrong of [
      { role: 'tool', content: 'x' },
      { role: 'assistant' },
      { role: 'assistant', tool_calls: [{}] },
      { role: 'assistant', content: 'x', tool_calls: { id: 'c' } },
    ]) {
      expect(() => orderFor({ messages: [wrong] })).to.throw();
    }
  });
});

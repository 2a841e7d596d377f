import { expect } from 'chai';
import { chatBody, orderOf } from '../../src/http/routes/llm/chat-body.ts';
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
    expect(orderFor({ duration_ms: 5, request_id: 'x', cache_control: {} })).to.deep.equal({
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
    ]) {
      expect(() => orderFor({ messages: [wrong] })).to.throw();
    }
  });
});

import { expect } from 'chai';
import type { ChatCompletionCreateParams } from 'openai/resources';
import { readOrder } from '../../src/http/routes/v1/v1-body.ts';
import { openAiError } from '../../src/http/openai-errors.ts';
import { isDomainError, type DomainError } from '../../src/kernel/errors.ts';

const USER = '0b0f6c1e-6a5e-4b7e-9d5c-0a4b6c1d2e3f';

const body = (over: object = {}): object => ({
  model: 'sandbox/echo',
  messages: [{ role: 'user', content: 'Hello' }],
  ...over,
});

const taskOf = (over: object) => readOrder(USER, body(over)).order.task;

const refusal = (input: unknown): DomainError => {
  try {
    readOrder(USER, input);
  } catch (error) {
    if (isDomainError(error)) return error;
    throw error;
  }
  return expect.fail('nothing was refused');
};

const tool = { type: 'function', function: { name: 'look', parameters: { type: 'object', properties: {} } } };

describe('the body of POST /v1/chat/completions', () => {
  it('is read with everything that a provider can be told', () => {
    const all = {
      model: 'sandbox/echo',
      messages: [
        { role: 'developer', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
      ],
      stream: true,
      stream_options: { include_usage: true },
      max_completion_tokens: 10,
      temperature: 0.5,
      top_p: 0.9,
      frequency_penalty: 0.1,
      presence_penalty: 0.2,
      seed: 7,
      stop: 'END',
      n: 1,
      user: 'someone',
      tools: [tool],
      tool_choice: { type: 'function', function: { name: 'look' } },
      parallel_tool_calls: false,
      reasoning_effort: 'low',
      response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' }, strict: true } },
    };
    const { order, includeUsage } = readOrder(USER, all);
    expect(includeUsage).to.equal(true);
    expect(order).to.deep.include({ userId: USER, modelId: 'sandbox/echo', taskType: 'general', streamed: true });
    expect(order.task).to.deep.equal({
      messages: [
        { role: 'developer', parts: [{ type: 'text', text: 'Be brief.' }] },
        { role: 'user', parts: [{ type: 'text', text: 'Hello' }] },
      ],
      maxTokens: 10,
      sampling: { temperature: 0.5, topP: 0.9, frequencyPenalty: 0.1, presencePenalty: 0.2, stop: ['END'], seed: 7 },
      tools: [{ name: 'look', parameters: { type: 'object', properties: {} } }],
      toolChoice: { name: 'look' },
      parallelToolCalls: false,
      reasoning: { effort: 'low' },
      responseFormat: { type: 'json_schema', name: 'x', schema: { type: 'object' }, strict: true },
      user: 'someone',
    });
  });

  it('may carry what has no effect, and what asks for nothing', () => {
    const plain = taskOf({});
    const harmless: Partial<Record<keyof ChatCompletionCreateParams, unknown>> = {
      store: true,
      metadata: { run: '7' },
      safety_identifier: 'u1',
      prompt_cache_key: 'k',
      prompt_cache_retention: 'in_memory',
      service_tier: 'auto',
      logprobs: false,
      top_logprobs: 0,
      logit_bias: {},
      modalities: ['text'],
      verbosity: 'medium',
      audio: null,
      functions: null,
      prediction: null,
      temperature: null,
      stream_options: null,
    };
    expect(taskOf(harmless)).to.deep.equal(plain);
  });

  const refused: readonly (readonly [string, object, string, string])[] = [
    ['logprobs', { logprobs: true }, 'logprobs', 'unsupported_parameter'],
    ['top_logprobs', { top_logprobs: 3 }, 'top_logprobs', 'unsupported_parameter'],
    ['logit_bias', { logit_bias: { 50256: -100 } }, 'logit_bias', 'unsupported_parameter'],
    ['sound', { modalities: ['text', 'audio'] }, 'modalities', 'unsupported_parameter'],
    ['audio', { audio: { voice: 'x', format: 'mp3' } }, 'audio', 'unsupported_parameter'],
    ['predictions', { prediction: { type: 'content', content: 'x' } }, 'prediction', 'unsupported_parameter'],
    ['functions', { functions: [{ name: 'look' }] }, 'functions', 'unsupported_parameter'],
    ['function_call', { function_call: 'auto' }, 'function_call', 'unsupported_parameter'],
    ['web_search_options', { web_search_options: {} }, 'web_search_options', 'unsupported_parameter'],
    ['another tier', { service_tier: 'flex' }, 'service_tier', 'unsupported_parameter'],
    ['verbosity', { verbosity: 'low' }, 'verbosity', 'unsupported_parameter'],
    ['what nobody knows', { temprature: 1 }, 'temprature', 'unknown_parameter'],
    ['members of our own endpoint', { task_type: 'general' }, 'task_type', 'unknown_parameter'],
    ['two answers', { n: 2 }, 'n', 'invalid_value'],
    ['no model', { model: undefined }, 'model', 'missing_required_parameter'],
    ['a model that is no text', { model: 7 }, 'model', 'invalid_type'],
    ['no messages', { messages: [] }, 'messages', 'invalid_value'],
    ['messages that are none', { messages: 'Hello' }, 'messages', 'invalid_type'],
    ['a temperature that is too high', { temperature: 3 }, 'temperature', 'invalid_value'],
    ['an effort of another kind', { reasoning_effort: 'gigantic' }, 'reasoning_effort', 'invalid_value'],
    ['a tool of another kind', { tools: [{ type: 'custom', custom: {} }] }, 'tools[0].type', 'invalid_value'],
    [
      'a tool without a name',
      { tools: [{ type: 'function', function: {} }] },
      'tools[0].function.name',
      'missing_required_parameter',
    ],
    ['both limits', { max_tokens: 1, max_completion_tokens: 1 }, 'max_tokens', 'invalid_value'],
    ['stream options without a stream', { stream_options: {} }, 'stream_options', 'invalid_value'],
    [
      'padding',
      { stream: true, stream_options: { include_obfuscation: true } },
      'stream_options.include_obfuscation',
      'invalid_value',
    ],
    [
      'names of participants',
      { messages: [{ role: 'user', content: 'x', name: 'Ada' }] },
      'messages[0].name',
      'unsupported_parameter',
    ],
    [
      'sound in a message',
      { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: '', format: 'mp3' } }] }] },
      'messages[0].content[0]',
      'unsupported_value',
    ],
  ];
  for (const [what, over, param, code] of refused) {
    it(`refuses ${what}, by name`, () => {
      const error = refusal(body(over));
      expect(error.errorType).to.equal('validation_error');
      expect(openAiError(error).error).to.include({ type: 'invalid_request_error', param, code });
    });
  }

  const misplaced: readonly (readonly [string, object, string])[] = [
    ['a role that nobody knows', { role: 'robot', content: 'x' }, 'messages[0].role'],
    ['the old role of functions', { role: 'function', name: 'look', content: 'x' }, 'messages[0].name'],
    ['a message without content', { role: 'user' }, 'messages[0].content'],
    ['a result of no call', { role: 'tool', content: 'x' }, 'messages[0].tool_call_id'],
    [
      'a picture on another server',
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.test/a.png' } }] },
      'messages[0].content[0].image_url.url',
    ],
    ['a file of nothing', { role: 'user', content: [{ type: 'file', file: {} }] }, 'messages[0].content[0].file'],
    [
      'a call by the old name',
      { role: 'assistant', content: null, function_call: { name: 'look', arguments: '{}' } },
      'messages[0].function_call',
    ],
    ['no message at all', 'Hello' as never, 'messages[0].role'],
  ];
  for (const [what, message, param] of misplaced) {
    it(`tells the place of ${what}`, () => {
      expect(openAiError(refusal(body({ messages: [message] }))).error.param).to.equal(param);
    });
  }

  it('must be an object', () => {
    for (const input of [undefined, null, [], 'x', 7]) expect(refusal(input).errorType).to.equal('bad_request');
  });

  it('takes back what an answer gave', () => {
    const { messages } = taskOf({
      messages: [
        { role: 'user', content: 'Where?' },
        {
          role: 'assistant',
          content: '',
          refusal: null,
          annotations: [],
          audio: null,
          function_call: null,
          reasoning_content: 'Hm.',
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', name: 'look', content: 'here' },
        { role: 'assistant', content: null, refusal: 'I would rather not.' },
        { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
      ],
    });
    expect(messages.slice(1)).to.deep.equal([
      { role: 'assistant', parts: [], toolCalls: [{ id: 'c1', name: 'look', arguments: '{}' }] },
      { role: 'tool', toolCallId: 'c1', parts: [{ type: 'text', text: 'here' }] },
      { role: 'assistant', parts: [{ type: 'text', text: 'I would rather not.' }], toolCalls: [] },
      { role: 'assistant', parts: [{ type: 'text', text: 'No.' }], toolCalls: [] },
    ]);
  });

  it('takes pictures and files as OpenAI has them', () => {
    const { messages } = taskOf({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD', detail: 'low' } },
            { type: 'file', file: { filename: 'plan.pdf', file_data: 'data:application/pdf;base64,QUJD' } },
            { type: 'file', file: { file_id: 'file-1' } },
          ],
        },
      ],
    });
    expect(messages[0]!.parts).to.deep.equal([
      { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'QUJD' }, detail: 'low' },
      {
        type: 'document',
        source: { kind: 'base64', mediaType: 'application/pdf', data: 'QUJD' },
        fileName: 'plan.pdf',
      },
      { type: 'document', source: { kind: 'file', fileId: 'file-1' } },
    ]);
  });
});

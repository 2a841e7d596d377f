import { expect } from 'chai';
import { messagesCodec } from '../../infra/providers/anthropic/messages-codec.ts';
import { generateCodec } from '../../infra/providers/google/generate-codec.ts';
import { openRouterChatCodec } from '../../infra/providers/openrouter/openrouter-codecs.ts';
import type { Codec } from '../../infra/providers/shared/codec.ts';
import { chunkFrames } from '../../src/http/routes/llm/chunk-frames.ts';
import { messagesOf } from '../../src/http/routes/llm/chat-messages.ts';
import { messageCalls } from '../../src/http/routes/llm/whole-answer.ts';
import { completionCollector } from '../../src/kernel/completion-collector.ts';
import { isDomainError } from '../../src/kernel/errors.ts';
import { detailOf } from '../../src/kernel/thought-details.ts';
import type { ChatMessage, UpstreamEvent, UpstreamRequest } from '../../src/kernel/upstream.ts';
import { refused, sent, tool } from './requests.ts';
import { request } from './replay.ts';

const eventsOf = (codec: Codec, json: readonly unknown[]): readonly UpstreamEvent[] => {
  const out: UpstreamEvent[] = [];
  const decoder = codec.decoder('some');
  for (const event of json) decoder.event(event, out);
  decoder.end(out, true);
  return out;
};

type Delta = { tool_calls?: Record<string, unknown>[]; reasoning_details?: Record<string, unknown>[] };

/** What a client makes of a stream, sending lists on as the pieces that came. */
const overTheWire = (events: readonly UpstreamEvent[]): Required<Delta> => {
  const frames = chunkFrames('r', 'm', 0).of(events).split('\n\n').filter(Boolean);
  const deltas = frames.map(
    (frame) => (JSON.parse(frame.slice('data: '.length)) as { choices: [{ delta: Delta }] }).choices[0].delta,
  );
  return {
    tool_calls: deltas.flatMap(({ tool_calls: calls = [] }) => calls),
    reasoning_details: deltas.flatMap(({ reasoning_details: details = [] }) => details),
  };
};

const wholeOf = (events: readonly UpstreamEvent[]) => {
  const collected = completionCollector();
  events.forEach(collected.take);
  return collected.whole();
};

/** The next turn of a tool loop, as a client sends it. */
const nextTurn = (message: object): readonly ChatMessage[] =>
  messagesOf([
    { role: 'user', content: 'Look.' },
    { role: 'assistant', content: null, ...message },
    { role: 'tool', tool_call_id: 'call_1', content: 'A potato.' },
  ]);

const call = { id: 'call_1', type: 'function', function: { name: 'look', arguments: '{}' } };

const refusalOf = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    if (isDomainError(error)) return error.message;
    throw error;
  }
  return 'nothing';
};

describe("an Anthropic model's thoughts", () => {
  const stream = [
    { type: 'message_start', message: { id: 'm', model: 'c', usage: { input_tokens: 9, output_tokens: 1 } } },
    { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '', signature: '' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'Let me ' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'see.' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'sea' } },
    { type: 'content_block_delta', index: 0, delta: { type: 'signature_delta', signature: 'led' } },
    { type: 'content_block_stop', index: 0 },
    { type: 'content_block_start', index: 1, content_block: { type: 'redacted_thinking', data: 'secret' } },
    { type: 'content_block_stop', index: 1 },
    {
      type: 'content_block_start',
      index: 2,
      content_block: { type: 'tool_use', id: 'call_1', name: 'look', input: {} },
    },
    { type: 'content_block_stop', index: 2 },
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 20 } },
    { type: 'message_stop' },
  ];
  const whole = {
    type: 'message',
    id: 'm',
    model: 'c',
    content: [
      { type: 'thinking', thinking: 'Let me see.', signature: 'sealed' },
      { type: 'redacted_thinking', data: 'secret' },
      { type: 'tool_use', id: 'call_1', name: 'look', input: {} },
    ],
    stop_reason: 'tool_use',
    usage: { input_tokens: 9, output_tokens: 20 },
  };
  const details = [
    { type: 'reasoning.text', text: 'Let me see.', signature: 'sealed', format: 'anthropic-claude-v1', index: 0 },
    { type: 'reasoning.encrypted', data: 'secret', format: 'anthropic-claude-v1', index: 1 },
  ];
  const going = (messages: readonly ChatMessage[], over: Partial<UpstreamRequest> = {}): UpstreamRequest =>
    request({
      model: 'claude-sonnet-4-5-20250929',
      messages,
      tools: [tool],
      reasoning: { effort: 'low' },
      ...over,
    });

  it('reach the client sealed, streamed and not', () => {
    expect(overTheWire(eventsOf(messagesCodec, stream)).reasoning_details).to.deep.equal(details);
    expect(messagesCodec.decode('anthropic', whole).filter(({ type }) => type === 'thought')).to.have.length(2);
    expect(wholeOf(messagesCodec.decode('anthropic', whole)).thoughts.map(detailOf)).to.deep.equal(details);
    expect(wholeOf(eventsOf(messagesCodec, stream)).reasoning).to.equal('Let me see.');
  });

  it('go back word for word, before the call', () => {
    const messages = nextTurn({ tool_calls: [call], reasoning_details: details });
    expect(sent(messagesCodec, going(messages), true)).to.have.deep.nested.property('messages[1].content', [
      { type: 'thinking', thinking: 'Let me see.', signature: 'sealed' },
      { type: 'redacted_thinking', data: 'secret' },
      { type: 'tool_use', id: 'call_1', name: 'look', input: {} },
    ]);
  });

  it('stay out when the model is not to think, and when another provider sealed them', () => {
    const messages = nextTurn({ tool_calls: [call], reasoning_details: details });
    const plain = { type: 'tool_use', id: 'call_1', name: 'look', input: {} };
    expect(sent(messagesCodec, going(messages, { reasoning: { effort: 'none' } }), true)).to.have.deep.nested.property(
      'messages[1].content',
      [plain],
    );
    const foreign = [{ ...details[1], format: 'google-gemini-v1' }];
    const others = nextTurn({ tool_calls: [call], reasoning_details: foreign });
    expect(refused(messagesCodec, going(others))).to.match(/signed thoughts/);
  });

  it('are asked for when they are missing in the middle of a turn', () => {
    expect(refused(messagesCodec, going(nextTurn({ tool_calls: [call] })))).to.match(/reasoning_details/);
  });
});

describe("a Gemini model's seals", () => {
  const chunk = {
    responseId: 'r',
    candidates: [
      {
        content: {
          parts: [
            { functionCall: { id: 'call_1', name: 'look', args: {} }, thoughtSignature: 'sealed' },
            { functionCall: { id: 'call_2', name: 'look', args: {} } },
          ],
        },
        finishReason: 'STOP',
      },
    ],
    usageMetadata: { promptTokenCount: 1, candidatesTokenCount: 1 },
  };
  const seal = { google: { thought_signature: 'sealed' } };

  it('reach the client with the call, streamed and not', () => {
    const events = eventsOf(generateCodec, [chunk]);
    expect(overTheWire(events).tool_calls.map((made) => made['extra_content'])).to.deep.equal([seal, undefined]);
    expect(messageCalls(wholeOf(events).toolCalls)).to.deep.equal([
      { ...call, extra_content: seal },
      { ...call, id: 'call_2' },
    ]);
  });

  it('go back with the call', () => {
    const asked = (made: object): unknown =>
      sent(
        generateCodec,
        request({ model: 'gemini-3-pro-preview', messages: nextTurn({ tool_calls: [made] }), tools: [tool] }),
        true,
      );
    const place = 'contents[1].parts[0].thoughtSignature';
    expect(asked({ ...call, extra_content: seal })).to.have.nested.property(place, 'sealed');
    expect(asked(call)).to.have.nested.property(place, 'skip_thought_signature_validator');
  });
});

describe("OpenRouter's reasoning_details", () => {
  const piece = (detail: object) => ({ id: 'o', choices: [{ delta: { reasoning_details: [detail] } }] });
  const text = { type: 'reasoning.text', format: 'anthropic-claude-v1', index: 0 };

  it('are put together from their pieces', () => {
    const events = eventsOf(openRouterChatCodec, [
      piece({ ...text, text: 'Let me ', signature: '' }),
      piece({ ...text, text: 'see.', signature: null }),
      piece({ ...text, signature: 'sealed' }),
      piece({ type: 'reasoning.encrypted', data: 'secret', id: 'rs_1', index: 1 }),
      { id: 'o', choices: [{ delta: {}, finish_reason: 'stop' }] },
    ]);
    expect(overTheWire(events).reasoning_details).to.deep.equal([
      { ...text, text: 'Let me see.', signature: 'sealed' },
      { type: 'reasoning.encrypted', data: 'secret', id: 'rs_1', index: 1 },
    ]);
  });

  it('are not repeated when nothing in them is sealed', () => {
    const events = eventsOf(openRouterChatCodec, [
      piece({ ...text, text: 'Hm.' }),
      { id: 'o', choices: [{ delta: {}, finish_reason: 'stop' }] },
    ]);
    expect(overTheWire(events).reasoning_details).to.deep.equal([]);
  });

  it('go back as they are, with the seals of calls among them', () => {
    const details = [{ ...text, text: 'Let me see.', signature: 'sealed' }];
    const signed = { ...call, extra_content: { google: { thought_signature: 'seal' } } };
    const messages = nextTurn({ tool_calls: [signed], reasoning_details: details });
    expect(sent(openRouterChatCodec, request({ messages, tools: [tool] }), true)).to.have.deep.nested.property(
      'messages[1].reasoning_details',
      [...details, { type: 'reasoning.encrypted', data: 'seal', id: 'call_1', format: 'google-gemini-v1', index: 1 }],
    );
  });
});

describe('thoughts that a client sends', () => {
  it('must have the form that they came in', () => {
    const read = (details: unknown) => refusalOf(() => nextTurn({ tool_calls: [call], reasoning_details: details }));
    expect(read('hm')).to.match(/messages\.1\.reasoning_details must be a list/);
    expect(read([{ type: 'thinking' }])).to.match(/messages\.1\.reasoning_details\.0 must be/);
    expect(read([{ type: 'reasoning.text', text: 7 }])).to.match(/reasoning_details\.0 must be/);
    expect(read(null)).to.equal('nothing');
    const odd = { ...call, extra_content: { google: { thought_signature: 7 } } };
    expect(refusalOf(() => nextTurn({ tool_calls: [odd] }))).to.match(/thought_signature must be a string/);
  });
});

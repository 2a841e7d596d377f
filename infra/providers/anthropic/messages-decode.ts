import type { Thought, UpstreamEvent } from '../../../src/kernel/upstream.ts';
import type { FinishReason } from '../../../src/kernel/usage.ts';
import type { StreamDecoder } from '../shared/event-batches.ts';
import { inBandError, protocolError } from '../shared/failures.ts';
import { countOf, listOf, objectOf, textOf, type JsonObject } from '../shared/json-members.ts';
import { FORMAT } from './signed-thoughts.ts';
import { mergedUsage, messagesUsage, withoutOutput } from './messages-usage.ts';

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

const finishOf = (native: string): UpstreamEvent => ({ type: 'finish', reason: REASONS[native] ?? 'stop', native });

const push = (out: UpstreamEvent[], type: 'text' | 'reasoning', value: unknown): void => {
  if (typeof value === 'string' && value !== '') out.push({ type, text: value });
};

const startedOf = (message: JsonObject): UpstreamEvent => ({
  type: 'started',
  upstreamId: textOf(message['id']),
  model: textOf(message['model']),
});

/** A thought with its seal, which is to come back as it was; undefined for a block that is none. */
const thoughtOf = ({ type, thinking, signature, data }: JsonObject): UpstreamEvent | undefined => {
  const sealed = type === 'redacted_thinking' ? textOf(data) : textOf(signature);
  if (sealed === '') return undefined;
  const thought: Thought =
    type === 'redacted_thinking'
      ? { kind: 'encrypted', content: sealed, format: FORMAT }
      : { kind: 'text', content: textOf(thinking), signature: sealed, format: FORMAT };
  return { type: 'thought', thought };
};

const pushThought = (out: UpstreamEvent[], block: JsonObject): void => {
  const thought = thoughtOf(block);
  if (thought !== undefined) out.push(thought);
};

/** A thought that is being told. */
type OpenThought = { type: unknown; thinking: string; signature: string; data: unknown };

/** A call whose arguments are still to come, or are none. */
type OpenCall = { readonly index: number; readonly input: unknown; length: number };

/** Reads the events of a Messages stream. Blocks of the provider's own tools are not the caller's and are left out. */
export const messagesDecoder = (provider: string): StreamDecoder => {
  const calls = new Map<number | undefined, OpenCall>();
  let thought: OpenThought | undefined;
  let usage: JsonObject = {};
  let finished = false;

  const pushUsage = (out: UpstreamEvent[], block: unknown, source: 'early' | 'final'): void => {
    const merged = mergedUsage(usage, objectOf(block));
    const event = messagesUsage(merged, source);
    if (event !== undefined) out.push(event);
    usage = source === 'early' ? withoutOutput(merged) : merged;
  };

  const blockStart = (json: JsonObject, out: UpstreamEvent[]): void => {
    const block = objectOf(json['content_block']);
    push(out, 'text', block['type'] === 'text' ? block['text'] : undefined);
    push(out, 'reasoning', block['type'] === 'thinking' ? block['thinking'] : undefined);
    const { type, thinking, signature, data } = block;
    thought = { type, thinking: textOf(thinking), signature: textOf(signature), data };
    if (type !== 'tool_use') return;
    const call = { index: calls.size, input: block['input'], length: 0 };
    calls.set(countOf(json['index']), call);
    const { id, name } = block;
    out.push({ type: 'toolCall', index: call.index, id: textOf(id), name: textOf(name), arguments: '' });
  };

  const blockDelta = (json: JsonObject, out: UpstreamEvent[]): void => {
    const delta = objectOf(json['delta']);
    push(out, 'text', delta['type'] === 'text_delta' ? delta['text'] : undefined);
    push(out, 'reasoning', delta['type'] === 'thinking_delta' ? delta['thinking'] : undefined);
    if (thought !== undefined) {
      thought.thinking += textOf(delta['thinking']);
      thought.signature += textOf(delta['signature']);
    }
    const call = calls.get(countOf(json['index']));
    const piece = textOf(delta['partial_json']);
    if (call === undefined || piece === '') return;
    call.length += piece.length;
    out.push({ type: 'toolCall', index: call.index, arguments: piece });
  };

  /** A call without arguments sends no pieces of them. */
  const blockStop = (json: JsonObject, out: UpstreamEvent[]): void => {
    if (thought !== undefined) pushThought(out, thought);
    thought = undefined;
    const call = calls.get(countOf(json['index']));
    if (call === undefined || call.length > 0) return;
    out.push({ type: 'toolCall', index: call.index, arguments: JSON.stringify(call.input ?? {}) });
  };

  const handlers: Readonly<Record<string, (json: JsonObject, out: UpstreamEvent[]) => unknown>> = {
    message_start: (json, out) => {
      const message = objectOf(json['message']);
      out.push(startedOf(message));
      pushUsage(out, message['usage'], 'early');
    },
    content_block_start: blockStart,
    content_block_delta: blockDelta,
    content_block_stop: blockStop,
    message_delta: (json, out) => {
      pushUsage(out, json['usage'], 'final');
      const reason = textOf(objectOf(json['delta'])['stop_reason']);
      if (reason === '') return;
      finished = true;
      out.push(finishOf(reason));
    },
    message_stop: () => finished,
    error: (json) => {
      throw inBandError(provider, json);
    },
  };

  return {
    event: (json, out) => {
      const event = objectOf(json);
      const type = textOf(event['type']);
      return Object.hasOwn(handlers, type) && handlers[type]?.(event, out) === true;
    },
    end: () => {
      if (!finished) throw protocolError(provider, 'the answer was cut off');
    },
  };
};

/** Reads a Messages answer that came at once. */
export const decodeMessage = (provider: string, json: unknown): readonly UpstreamEvent[] => {
  const message = objectOf(json);
  if (message['type'] === 'error') throw inBandError(provider, message);
  if (!Array.isArray(message['content'])) throw protocolError(provider, 'the answer has no content');
  const out: UpstreamEvent[] = [startedOf(message)];
  let calls = 0;
  for (const item of listOf(message['content'])) {
    const { type, text, thinking, id, name, input } = objectOf(item);
    push(out, 'text', type === 'text' ? text : undefined);
    push(out, 'reasoning', type === 'thinking' ? thinking : undefined);
    pushThought(out, objectOf(item));
    if (type !== 'tool_use') continue;
    const args = JSON.stringify(input ?? {});
    out.push({ type: 'toolCall', index: calls++, id: textOf(id), name: textOf(name), arguments: args });
  }
  const usage = messagesUsage(objectOf(message['usage']), 'final');
  if (usage !== undefined) out.push(usage);
  out.push(finishOf(textOf(message['stop_reason']) || 'end_turn'));
  return out;
};

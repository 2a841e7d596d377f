import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import type { FinishReason } from '../../../src/kernel/usage.ts';
import type { StreamDecoder } from '../shared/event-batches.ts';
import { inBandError, protocolError } from '../shared/failures.ts';
import { countOf, listOf, objectOf, textOf, type JsonObject } from '../shared/json-members.ts';
import { thoughtGatherer } from '../shared/thoughts.ts';
import { chatUsage, type UsageReader } from './openai-usage.ts';

const REASONS: Readonly<Record<string, FinishReason>> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool_calls',
  function_call: 'tool_calls',
  content_filter: 'content_filter',
  error: 'error',
};

/** The provider's word for why it ended, in ours. A word we do not know ends an answer like any other. */
const finishOf = (native: string): UpstreamEvent => ({ type: 'finish', reason: REASONS[native] ?? 'stop', native });

const push = (out: UpstreamEvent[], type: 'text' | 'refusal' | 'reasoning', value: unknown): void => {
  if (typeof value === 'string' && value !== '') out.push({ type, text: value });
};

const pushCalls = (out: UpstreamEvent[], calls: unknown): void => {
  listOf(calls).forEach((item, place) => {
    const call = objectOf(item);
    const { name, arguments: args } = objectOf(call['function']);
    out.push({
      type: 'toolCall',
      index: countOf(call['index']) ?? place,
      ...(typeof call['id'] === 'string' ? { id: call['id'] } : {}),
      ...(typeof name === 'string' ? { name } : {}),
      arguments: textOf(args),
    });
  });
};

/** A whole message and a piece of one have the same members. */
const pushMessage = (out: UpstreamEvent[], message: JsonObject): void => {
  push(out, 'reasoning', message['reasoning_content'] ?? message['reasoning']);
  push(out, 'text', message['content']);
  push(out, 'refusal', message['refusal']);
  if (message['tool_calls'] !== undefined) pushCalls(out, message['tool_calls']);
};

/** Some servers send `"error": null` with every chunk, and some put the error of an answer into its choice. */
const throwFailure = (provider: string, json: JsonObject, choice: JsonObject): void => {
  for (const place of [json, choice]) {
    if (place['error'] !== undefined && place['error'] !== null) throw inBandError(provider, place);
  }
};

const started = (json: JsonObject): UpstreamEvent => ({
  type: 'started',
  upstreamId: textOf(json['id']),
  model: textOf(json['model']),
});

/** Reads the chunks of a Chat Completions stream. `usageOf` reads its usage block. */
export const chatDecoder = (provider: string, usageOf: UsageReader = chatUsage): StreamDecoder => {
  const thoughts = thoughtGatherer();
  let begun = false;
  let finished = false;

  const choice = (item: unknown, out: UpstreamEvent[]): void => {
    const { delta, finish_reason: reason } = objectOf(item);
    if (delta !== undefined) pushMessage(out, objectOf(delta));
    thoughts.take(objectOf(delta)['reasoning_details']);
    if (typeof reason !== 'string' || reason === '') return;
    finished = true;
    out.push(finishOf(reason));
  };

  return {
    event: (json, out) => {
      const chunk = objectOf(json);
      throwFailure(provider, chunk, objectOf(listOf(chunk['choices'])[0]));
      if (!begun && textOf(chunk['id']) !== '') {
        begun = true;
        out.push(started(chunk));
      }
      for (const item of listOf(chunk['choices'])) choice(item, out);
      if (chunk['usage'] !== undefined && chunk['usage'] !== null) {
        const usage = usageOf(chunk['usage']);
        if (usage !== undefined) out.push(usage);
      }
      return false;
    },
    end: (out, marked) => {
      out.push(...thoughts.whole());
      if (finished) return;
      if (!marked) throw protocolError(provider, 'the answer was cut off');
      out.push(finishOf('stop'));
    },
  };
};

/** Reads a Chat Completions answer that came at once. */
export const decodeChat = (
  provider: string,
  json: unknown,
  usageOf: UsageReader = chatUsage,
): readonly UpstreamEvent[] => {
  const body = objectOf(json);
  const choice = objectOf(listOf(body['choices'])[0]);
  throwFailure(provider, body, choice);
  if (choice['message'] === undefined) throw protocolError(provider, 'the answer has no message');
  const out: UpstreamEvent[] = [started(body)];
  const message = objectOf(choice['message']);
  pushMessage(out, message);
  const thoughts = thoughtGatherer();
  thoughts.take(message['reasoning_details']);
  out.push(...thoughts.whole());
  const usage = usageOf(body['usage']);
  if (usage !== undefined) out.push(usage);
  out.push(finishOf(textOf(choice['finish_reason']) || 'stop'));
  return out;
};

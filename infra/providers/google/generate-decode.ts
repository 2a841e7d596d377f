import { randomUUID } from 'node:crypto';
import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import type { FinishReason } from '../../../src/kernel/usage.ts';
import type { StreamDecoder } from '../shared/event-batches.ts';
import { inBandError, protocolError } from '../shared/failures.ts';
import { listOf, objectOf, textOf, type JsonObject } from '../shared/json-members.ts';
import { ownCallId } from './call-ids.ts';
import { generateUsage } from './generate-usage.ts';

const REASONS: Readonly<Record<string, FinishReason>> = {
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content_filter',
  RECITATION: 'content_filter',
  LANGUAGE: 'content_filter',
  BLOCKLIST: 'content_filter',
  PROHIBITED_CONTENT: 'content_filter',
  SPII: 'content_filter',
  IMAGE_SAFETY: 'content_filter',
  MALFORMED_FUNCTION_CALL: 'error',
  UNEXPECTED_TOOL_CALL: 'error',
  TOO_MANY_TOOL_CALLS: 'error',
  MISSING_THOUGHT_SIGNATURE: 'error',
  OTHER: 'error',
};

type Finish = Extract<UpstreamEvent, { type: 'finish' }>;

const finishOf = (native: string, hasCalls: boolean): Finish => {
  const reason = REASONS[native] ?? 'stop';
  return { type: 'finish', reason: reason === 'stop' && hasCalls ? 'tool_calls' : reason, native };
};

/** Why the answer has ended; undefined while it goes on. */
const endOf = (chunk: JsonObject, hasCalls: boolean): Finish | undefined => {
  const reason = textOf(objectOf(listOf(chunk['candidates'])[0])['finishReason']);
  if (reason !== '') return finishOf(reason, hasCalls);
  const blocked = textOf(objectOf(chunk['promptFeedback'])['blockReason']);
  return blocked === '' ? undefined : { type: 'finish', reason: 'content_filter', native: `blockReason:${blocked}` };
};

/**
 * Reads the chunks of a generateContent stream, in events or in one list. The end is told when the stream is over: some
 * models put a reason into every chunk, and an error may follow it.
 */
export const generateDecoder = (provider: string): StreamDecoder => {
  let answerId: string | undefined;
  let calls = 0;
  let ended: Finish | undefined;

  const idOf = (call: JsonObject): string => {
    // Older models send no id at all, and a client must be able to tell the calls of two answers apart.
    answerId ??= randomUUID();
    return textOf(call['id']) || ownCallId(answerId, calls);
  };

  const part = (item: unknown, out: UpstreamEvent[]): void => {
    const { text, thought, thoughtSignature, functionCall } = objectOf(item);
    if (typeof text === 'string' && text !== '') out.push({ type: thought === true ? 'reasoning' : 'text', text });
    if (functionCall === undefined) return;
    const call = objectOf(functionCall);
    const args = JSON.stringify(call['args'] ?? {});
    const signature = textOf(thoughtSignature);
    out.push({
      ...{ type: 'toolCall', index: calls, id: idOf(call), name: textOf(call['name']), arguments: args },
      ...(signature === '' ? {} : { signature }),
    });
    calls += 1;
  };

  const chunk = (json: JsonObject, out: UpstreamEvent[]): void => {
    if (json['error'] !== undefined) throw inBandError(provider, json);
    if (answerId === undefined) {
      const upstreamId = textOf(json['responseId']);
      answerId = upstreamId === '' ? undefined : upstreamId;
      if (upstreamId !== '') out.push({ type: 'started', upstreamId, model: textOf(json['modelVersion']) });
    }
    const { content } = objectOf(listOf(json['candidates'])[0]);
    for (const item of listOf(objectOf(content)['parts'])) part(item, out);
    ended = endOf(json, calls > 0) ?? ended;
    const usage = generateUsage(json['usageMetadata'], ended !== undefined);
    if (usage !== undefined) out.push(usage);
  };

  return {
    event: (json, out) => {
      for (const item of Array.isArray(json) ? (json as readonly unknown[]) : [json]) chunk(objectOf(item), out);
      return false;
    },
    end: (out) => {
      if (ended === undefined) throw protocolError(provider, 'the answer was cut off');
      out.push(ended);
    },
  };
};

/** Reads a generateContent answer that came at once, or a stream that came as one list. */
export const decodeGenerated = (provider: string, json: unknown): readonly UpstreamEvent[] => {
  const decoder = generateDecoder(provider);
  const out: UpstreamEvent[] = [];
  decoder.event(json, out);
  decoder.end(out, false);
  return out;
};

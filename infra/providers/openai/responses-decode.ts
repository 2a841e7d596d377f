import { UpstreamError, type UpstreamEvent } from '../../../src/kernel/upstream.ts';
import type { FinishReason } from '../../../src/kernel/usage.ts';
import type { StreamDecoder } from '../shared/event-batches.ts';
import { inBandError, protocolError } from '../shared/failures.ts';
import { countOf, listOf, objectOf, textOf, type JsonObject } from '../shared/json-members.ts';
import { responsesUsage } from './openai-usage.ts';

const incompleteReason = (response: JsonObject): FinishReason =>
  objectOf(response['incomplete_details'])['reason'] === 'content_filter' ? 'content_filter' : 'length';

const startedOf = (response: JsonObject): UpstreamEvent => ({
  type: 'started',
  upstreamId: textOf(response['id']),
  model: textOf(response['model']),
});

const callStart = (item: JsonObject, index: number, args: string): UpstreamEvent => ({
  type: 'toolCall',
  index,
  id: textOf(item['call_id']) || textOf(item['id']),
  name: textOf(item['name']),
  arguments: args,
});

/** What the items of a whole answer say. `pushCall` numbers the tool calls. */
const pushOutput = (out: UpstreamEvent[], response: JsonObject): void => {
  let calls = 0;
  for (const entry of listOf(response['output'])) {
    const item = objectOf(entry);
    if (item['type'] === 'function_call') out.push(callStart(item, calls++, textOf(item['arguments'])));
    const isReasoning = item['type'] === 'reasoning';
    for (const part of listOf(isReasoning ? item['summary'] : item['content'])) {
      const { type, text, refusal } = objectOf(part);
      if (type === 'output_text') out.push({ type: 'text', text: textOf(text) });
      else if (type === 'refusal') out.push({ type: 'refusal', text: textOf(refusal) });
      else if (isReasoning) out.push({ type: 'reasoning', text: textOf(text) });
    }
  }
};

/** True for a search of the web that is paid for; to open a page that was found is not. */
const isSearch = (entry: unknown): boolean => {
  const { type, status, action } = objectOf(entry);
  const { type: kind = 'search' } = objectOf(action);
  return type === 'web_search_call' && status !== 'failed' && kind === 'search';
};

const searchesIn = (response: JsonObject): number => listOf(response['output']).filter(isSearch).length;

/** What came before the end of an answer. */
type Seen = Readonly<{ calls: number; searches: number }>;

/** Usage and finish of a terminal response. Throws when it failed. */
const pushEnd = (provider: string, out: UpstreamEvent[], response: JsonObject, seen: Seen): void => {
  const status = textOf(response['status']);
  const searches = Math.max(seen.searches, searchesIn(response));
  const usage = responsesUsage(response['usage'], status === 'completed', searches);
  if (usage !== undefined) out.push(usage);
  switch (status) {
    case 'completed':
      out.push({ type: 'finish', reason: seen.calls > 0 ? 'tool_calls' : 'stop', native: status });
      return;
    case 'incomplete':
      out.push({ type: 'finish', reason: incompleteReason(response), native: status });
      return;
    case 'cancelled':
      throw new UpstreamError({ provider, kind: 'server', providerMessage: 'the provider cancelled the response' });
    default:
      throw inBandError(provider, response);
  }
};

const callsIn = (events: readonly UpstreamEvent[]): number => events.filter(({ type }) => type === 'toolCall').length;

const said = (event: UpstreamEvent): boolean =>
  event.type === 'text' || event.type === 'refusal' || event.type === 'toolCall';

/** Reads a Responses answer that came at once. */
export const decodeResponse = (provider: string, json: unknown): readonly UpstreamEvent[] => {
  const response = objectOf(json);
  if (response['output'] === undefined && response['status'] === undefined) {
    throw protocolError(provider, 'the answer is no response');
  }
  const out: UpstreamEvent[] = [startedOf(response)];
  pushOutput(out, response);
  pushEnd(provider, out, response, { calls: callsIn(out), searches: 0 });
  return out;
};

/** Reads the events of a Responses stream. */
export const responsesDecoder = (provider: string): StreamDecoder => {
  /** The tool calls by their place in the output, each with what its arguments have so far. */
  const calls = new Map<number, { index: number; length: number }>();
  let searches = 0;
  let anything = false;
  let begun = false;

  const begin = (json: JsonObject, out: UpstreamEvent[]): void => {
    if (begun) return;
    begun = true;
    out.push(startedOf(objectOf(json['response'])));
  };

  const itemAdded = (json: JsonObject, out: UpstreamEvent[]): void => {
    const item = objectOf(json['item']);
    if (item['type'] !== 'function_call') return;
    const args = textOf(item['arguments']);
    const index = calls.size;
    calls.set(countOf(json['output_index']) ?? index, { index, length: args.length });
    out.push(callStart(item, index, args));
  };

  const argumentsDelta = (json: JsonObject, out: UpstreamEvent[]): void => {
    const call = calls.get(countOf(json['output_index']) ?? calls.size - 1);
    if (call === undefined) return;
    const delta = textOf(json['delta']);
    call.length += delta.length;
    out.push({ type: 'toolCall', index: call.index, arguments: delta });
  };

  /** Some servers send a call in one piece, at its end. */
  const itemDone = (json: JsonObject, out: UpstreamEvent[]): void => {
    const item = objectOf(json['item']);
    if (isSearch(item)) {
      searches += 1;
      out.push({ type: 'search' });
    }
    if (item['type'] !== 'function_call') return;
    const call = calls.get(countOf(json['output_index']) ?? calls.size - 1);
    if (call === undefined) return itemAdded(json, out);
    const args = textOf(item['arguments']);
    if (call.length === 0 && args !== '') out.push({ type: 'toolCall', index: call.index, arguments: args });
    call.length = args.length;
  };

  const end = (json: JsonObject, out: UpstreamEvent[]): boolean => {
    const response = objectOf(json['response']);
    begin(json, out);
    if (!anything && !out.some(said)) pushOutput(out, response);
    pushEnd(provider, out, response, { calls: calls.size + callsIn(out), searches });
    return true;
  };

  const delta = (type: 'text' | 'refusal' | 'reasoning', json: JsonObject, out: UpstreamEvent[]): void => {
    const text = textOf(json['delta']);
    if (text !== '') out.push({ type, text });
  };

  const handlers: Readonly<Record<string, (json: JsonObject, out: UpstreamEvent[]) => unknown>> = {
    'response.created': begin,
    'response.in_progress': begin,
    'response.output_text.delta': (json, out) => delta('text', json, out),
    'response.refusal.delta': (json, out) => delta('refusal', json, out),
    'response.reasoning_summary_text.delta': (json, out) => delta('reasoning', json, out),
    'response.reasoning_text.delta': (json, out) => delta('reasoning', json, out),
    'response.output_item.added': itemAdded,
    'response.function_call_arguments.delta': argumentsDelta,
    'response.output_item.done': itemDone,
    'response.completed': end,
    'response.incomplete': end,
    'response.failed': end,
    'response.cancelled': end,
    error: (json) => {
      throw inBandError(provider, json);
    },
  };

  return {
    event: (json, out) => {
      const object = objectOf(json);
      const before = out.length;
      const last = handlers[textOf(object['type'])]?.(object, out) === true;
      anything ||= out.length > before && out.slice(before).some(said);
      return last;
    },
    end: () => {
      throw protocolError(provider, 'the answer was cut off');
    },
  };
};

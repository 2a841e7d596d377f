import type { Clock } from '../../../src/kernel/clock.ts';
import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import { baseUrlOf } from './base-url.ts';
import type { UpstreamOptions } from './chat-upstream.ts';
import { connectionsTo, patienceOf } from './connections.ts';
import { eventBatches, oneBatch, type StreamDecoder } from './event-batches.ts';
import type { LongBody } from './long-body.ts';
import { post, type Answer, type Patience } from './post.ts';
import { readJson, readRefusal } from './read-json.ts';

export type LinkCall = Readonly<{
  /** POST when absent. */
  method?: 'GET' | 'DELETE';
  /** From the origin on. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  body?: LongBody | Readonly<{ json: unknown }>;
  requestId: string;
  signal: AbortSignal;
  /** True when the answer is wanted piece by piece. */
  stream?: boolean;
}>;

/** A provider over HTTP for calls that carry files. */
export type MediaLink = Readonly<{
  provider: string;
  origin: string;
  /** The path of the API's version, which every call begins with. */
  prefix: string;
  clock: Clock;
  /** Resolves with an answer whose status is good. Throws UpstreamError. */
  send: (call: LinkCall) => Promise<Answer>;
  close: () => Promise<void>;
}>;

const bodyOf = (
  body: LinkCall['body'],
): Readonly<{ headers: Record<string, string>; body?: LongBody['bytes'] | string }> => {
  if (body === undefined) return { headers: {} };
  if ('json' in body) return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body.json) };
  return {
    headers: { 'content-type': body.contentType, 'content-length': body.length.toString() },
    body: body.bytes,
  };
};

/** Opens connections of its own, as they are needed. */
export const mediaLink = (options: UpstreamOptions): MediaLink => {
  const { provider, clock } = options;
  const { origin, prefix } = baseUrlOf(options.baseUrl, options.version);
  const dispatcher = connectionsTo(origin, options.connectMs);
  const { streaming, whole } = patienceOf(options);
  const patience = (stream: boolean): Patience => (stream ? streaming : whole);

  return {
    provider,
    origin,
    prefix,
    clock,
    send: async ({ method, path, headers, body, requestId, signal, stream = false }) => {
      const sent = bodyOf(body);
      const answer = await post(dispatcher, {
        provider,
        path,
        ...(method === undefined ? {} : { method }),
        ...sent,
        headers: {
          ...options.headers,
          accept: stream ? 'text/event-stream' : 'application/json',
          'x-request-id': requestId,
          ...sent.headers,
          ...headers,
        },
        signal,
        patience: patience(stream),
      });
      if (answer.status < 300) return answer;
      throw (await readRefusal(provider, answer, clock())).error;
    },
    close: () => dispatcher.destroy(),
  };
};

/** Reads an answer that says nothing to its end, so that its connection can be used again. */
export const drained = async (answer: Answer): Promise<void> => {
  while ((await answer.read()) !== undefined);
};

/** The batches of an answer: a stream's as they come, those of an answer that came at once as one. */
export const batchesOf = async (
  provider: string,
  answer: Answer,
  decoder: StreamDecoder,
  decode: (json: unknown) => readonly UpstreamEvent[],
): Promise<AsyncIterable<readonly UpstreamEvent[]>> =>
  String(answer.headers['content-type']).includes('text/event-stream')
    ? eventBatches(provider, answer, decoder)
    : oneBatch(decode(await readJson(provider, answer)));

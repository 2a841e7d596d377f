import type { Clock } from '../../../src/kernel/clock.ts';
import { completionCollector } from '../../../src/kernel/completion-collector.ts';
import type { CallOptions, ChatUpstream, UpstreamEvent, UpstreamRequest } from '../../../src/kernel/upstream.ts';
import { baseUrlOf } from './base-url.ts';
import type { Codec } from './codec.ts';
import { connectionsTo, patienceOf } from './connections.ts';
import { eventBatches, oneBatch } from './event-batches.ts';
import { jsonInPieces } from './json-in-pieces.ts';
import { post, type Answer } from './post.ts';
import { readJson, readRefusal, type Refused } from './read-json.ts';

/** How a provider is reached. */
export type UpstreamOptions = Readonly<{
  provider: string;
  /** With or without the path of a version at its end. */
  baseUrl: string;
  /** That path; `/v1` when absent. */
  version?: string;
  headers: Readonly<Record<string, string>>;
  clock: Clock;
  /** Milliseconds: silence that ends a call (300,000 when absent) and its longest time (1,740,000). */
  idleMs?: number;
  totalMs?: number;
  connectMs?: number;
}>;

/** Which language to speak to the provider for a request, asked before each call; told when the provider does not know it. */
export type Surface = Readonly<{
  codec: (request: UpstreamRequest) => Codec;
  /**
   * Another language to try after this refusal, or undefined: then the refusal stands. Throws DomainError when the
   * refusal is about what the caller asked for.
   */
  insteadOf: (codec: Codec, refused: Refused, request: UpstreamRequest) => Codec | undefined;
  /** The provider has accepted a call in this language. */
  understood: (codec: Codec) => void;
}>;

/** A provider that speaks one language only. */
export const onlySurface = (codec: Codec): Surface => ({
  codec: () => codec,
  insteadOf: () => undefined,
  understood: () => undefined,
});

type Accepted = Readonly<{ answer: Answer; codec: Codec }>;

/** A provider over HTTP, on connections that are kept and shared by all its calls. */
export const chatUpstream = (options: UpstreamOptions, surface: Surface): ChatUpstream => {
  const { provider, clock } = options;
  const { origin, prefix } = baseUrlOf(options.baseUrl, options.version);
  const dispatcher = connectionsTo(origin, options.connectMs);
  const { streaming, whole } = patienceOf(options);

  const send = async (
    codec: Codec,
    request: UpstreamRequest,
    { signal }: CallOptions,
    stream: boolean,
    isSecond = false,
  ): Promise<Accepted> => {
    codec.check?.(request);
    const body = jsonInPieces(request, (written) => codec.encode(written, stream));
    const answer = await post(dispatcher, {
      provider,
      path: prefix + (typeof codec.path === 'string' ? codec.path : codec.path(request, stream)),
      headers: {
        ...options.headers,
        ...codec.headers?.(request),
        accept: stream ? 'text/event-stream' : 'application/json',
        'content-type': 'application/json',
        ...(typeof body === 'string' ? {} : { 'content-length': body.length.toString() }),
        'x-request-id': request.requestId,
      },
      body: typeof body === 'string' ? body : body.bytes,
      signal,
      patience: stream ? streaming : whole,
    });
    if (answer.status < 300) {
      surface.understood(codec);
      return { answer, codec };
    }
    const refused = await readRefusal(provider, answer, clock());
    const other = surface.insteadOf(codec, refused, request);
    // Each language is tried once.
    if (other === undefined || isSecond) throw refused.error;
    return send(other, request, { signal }, stream, true);
  };

  const streams = ({ headers }: Answer): boolean => String(headers['content-type']).includes('text/event-stream');

  const batches = async ({ answer, codec }: Accepted): Promise<AsyncIterable<readonly UpstreamEvent[]>> =>
    // A server that cannot stream answers at once; that is an answer too.
    streams(answer) || !String(answer.headers['content-type']).includes('json')
      ? eventBatches(provider, answer, codec.decoder(provider))
      : oneBatch(codec.decode(provider, await readJson(provider, answer)));

  return {
    provider,
    check: (request) => surface.codec(request).check?.(request),
    stream: async (request, call) => batches(await send(surface.codec(request), request, call, true)),
    complete: async (request, call) => {
      const collected = completionCollector();
      for await (const batch of await batches(await send(surface.codec(request), request, call, false))) {
        batch.forEach(collected.take);
      }
      return collected.whole();
    },
    close: () => dispatcher.destroy(),
  };
};

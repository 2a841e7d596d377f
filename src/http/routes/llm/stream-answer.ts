import type { ServerResponse } from 'node:http';
import type { CompletionSink, Ended, RunningCompletion } from '../../../../commands/completions/running-completion.ts';
import { refusalFor, upstreamSays } from '../../../../commands/completions/upstream-refusal.ts';
import { DomainError } from '../../../kernel/errors.ts';
import { usdNumber } from '../../../kernel/money.ts';
import { isUpstreamError, type UpstreamFailure } from '../../../kernel/upstream.ts';
import { completionTokens, promptTokens } from '../../../kernel/usage.ts';
import { chunkFrames, chunkUsage, type ChunkFrames } from './chunk-frames.ts';

const HEAD = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-cache',
  'Content-Encoding': 'identity',
  'X-Accel-Buffering': 'no',
};
const KEEP_ALIVE = ': keep-alive\n\n';
const SILENCE_MS = 15_000;

/** The desktop has words of its own for some of these codes. */
const CODES: Readonly<Record<UpstreamFailure, string>> = {
  auth: 'external_service_error',
  quota: 'external_service_error',
  rate_limit: 'rate_limit_exceeded',
  invalid_request: 'bad_request',
  context_length: 'context_length_exceeded',
  not_found: 'external_service_error',
  overloaded: 'external_service_error',
  server: 'external_service_error',
  timeout: 'timeout_error',
  network: 'network_error',
  protocol: 'external_service_error',
  aborted: 'external_service_error',
};

const event = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

const errorOf = (failure: unknown): object => {
  if (!isUpstreamError(failure)) {
    return { code: 'internal_error', message: 'the request failed on our side; try again', fallbackAttempted: false };
  }
  const { provider, status = 502, kind } = failure;
  const message = upstreamSays(failure);
  return {
    code: CODES[kind],
    message,
    providerError: { provider, statusCode: status, errorType: kind, details: message },
    fallbackAttempted: false,
  };
};

const completed = (requestId: string, frames: ChunkFrames, { finish, usage, charged }: Ended): string => {
  const tokens =
    usage === undefined
      ? { tokensInput: 0, tokensOutput: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }
      : {
          tokensInput: promptTokens(usage),
          tokensOutput: completionTokens(usage),
          cacheReadTokens: usage.inputCachedRead,
          cacheWriteTokens: usage.inputCacheWrite,
        };
  const last = frames.with({
    choices: [{ index: 0, delta: {}, finish_reason: finish ?? 'stop' }],
    ...(usage === undefined ? {} : { usage: chunkUsage(usage, charged) }),
  });
  const finalCost = usdNumber(charged);
  return last + event('stream_completed', { requestId, finalCost, ...tokens, ...frames.empty });
};

/** A sink that writes once for each batch and says when the client is slower than the provider. */
const sinkTo = (response: ServerResponse, frames: ChunkFrames, silence: NodeJS.Timeout) => {
  let wrote = false;
  const drained = (): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        response.off('drain', done).off('close', done);
        resolve();
      };
      response.on('drain', done).on('close', done);
    });
  const sink: CompletionSink = {
    take: (batch) => {
      const text = frames.of(batch);
      if (text === '' || response.destroyed) return undefined;
      wrote = true;
      silence.refresh();
      return response.write(text) ? undefined : drained();
    },
  };
  return { sink, wrote: () => wrote };
};

/** Hands everything written so far to the connection. */
const flushed = (response: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    response.once('close', resolve);
    response.write(KEEP_ALIVE, () => resolve());
  });

/**
 * Streams an answer as server-sent events. Named events carry the members of an empty chunk too, so that readers who
 * take every event for a chunk are not confused. Ends with exactly one terminal event; when an answer breaks after its
 * beginning was sent, it cuts the connection by throwing, which lets clients keep what they have.
 */
export const streamAnswer = async (
  running: RunningCompletion,
  createdSeconds: number,
  response: ServerResponse,
): Promise<void> => {
  const { requestId, modelId } = running;
  const frames = chunkFrames(requestId, modelId, createdSeconds);
  response.writeHead(200, HEAD);
  response.write(event('stream_started', { requestId, ...frames.empty }));
  const silence = setTimeout(() => {
    response.write(KEEP_ALIVE);
    silence.refresh();
  }, SILENCE_MS);
  const { sink, wrote } = sinkTo(response, frames, silence);
  const ended = await running.deliver(sink).finally(() => clearTimeout(silence));
  switch (ended.how) {
    case 'completed':
      response.end(completed(requestId, frames, ended));
      return;
    case 'cancelled':
      response.end(event('stream_cancelled', { requestId, reason: 'cancelled on request', ...frames.empty }));
      return;
    case 'gone':
      response.destroy();
      return;
    case 'failed':
      if (!wrote()) {
        response.end(event('error_details', { requestId, error: errorOf(ended.failure), ...frames.empty }));
        return;
      }
      await flushed(response);
      throw ended.endedBy === 'shutdown'
        ? new DomainError('service_unavailable', 'the server went down during the answer')
        : refusalFor(ended.failure);
  }
};

import type { ServerResponse } from 'node:http';
import type { Answering, Ended } from '../../../../commands/completions/running-completion.ts';
import { upstreamSays } from '../../../../commands/completions/upstream-refusal.ts';
import { isDomainError } from '../../../kernel/errors.ts';
import { isUpstreamError, type UpstreamFailure } from '../../../kernel/upstream.ts';
import { written } from '../../handing-over.ts';
import { deliverEvents, KEEP_ALIVE } from './answer-events.ts';
import { chunkFrames, type ChunkFrames } from './chunk-frames.ts';
import { finalCharge, lastChunk } from './final-charge.ts';
import { brokenBy } from './whole-answer.ts';

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

const errorOf = ({ failure, fallbackAttempted }: Ended): object => {
  if (isDomainError(failure)) {
    return { code: failure.errorType, message: failure.detail, fallbackAttempted };
  }
  if (!isUpstreamError(failure)) {
    return { code: 'internal_error', message: 'the request failed on our side; try again', fallbackAttempted };
  }
  const { provider, status = 502, kind } = failure;
  const message = upstreamSays(failure);
  return {
    code: CODES[kind],
    message,
    providerError: { provider, statusCode: status, errorType: kind, details: message },
    fallbackAttempted,
  };
};

const completed = (requestId: string, frames: ChunkFrames, ended: Ended): string =>
  lastChunk(frames, ended) + event('stream_completed', { requestId, ...finalCharge(ended), ...frames.empty });

/** What a stream says beside its content. */
type Telling = Readonly<{
  /** When the work began, in seconds. */
  created: number;
  /** Content chunks that the client has already. */
  after?: number;
}>;

/** The frames without the first `after` of them. */
const framesAfter = (frames: ChunkFrames, after: number): ChunkFrames['of'] => {
  if (after === 0) return frames.of;
  let left = after;
  return (batch) => {
    if (left === 0) return frames.of(batch);
    return batch.reduce((text, event) => {
      const frame = frames.of([event]);
      const isKnown = frame !== '' && left > 0;
      if (isKnown) left -= 1;
      return isKnown ? text : text + frame;
    }, '');
  };
};

/**
 * Streams an answer as server-sent events. Named events carry the members of an empty chunk too, so that readers who
 * take every event for a chunk are not confused. Ends with exactly one terminal event; when an answer breaks after its
 * beginning was sent, it cuts the connection by throwing, which lets clients keep what they have.
 */
export const streamAnswer = async (
  running: Answering,
  { created, after = 0 }: Telling,
  response: ServerResponse,
): Promise<void> => {
  const { requestId, modelId } = running;
  const frames = chunkFrames(requestId, modelId, created);
  const opening = event('stream_started', { requestId, ...frames.empty });
  const { ended, wrote } = await deliverEvents(running, { opening, of: framesAfter(frames, after) }, response);
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
      if (!wrote && after === 0) {
        response.end(event('error_details', { requestId, error: errorOf(ended), ...frames.empty }));
        return;
      }
      await written(response, KEEP_ALIVE);
      throw brokenBy(ended);
  }
};

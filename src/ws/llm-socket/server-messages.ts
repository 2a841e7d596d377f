import type { Answer } from '../../../commands/completions/answers/answer.ts';
import type { Ended } from '../../../commands/completions/running-completion.ts';
import { envelopeOf, problemOf } from '../../http/problem.ts';
import { finalCharge } from '../../http/routes/llm/final-charge.ts';
import { brokenBy } from '../../http/routes/llm/whole-answer.ts';
import { DomainError } from '../../kernel/errors.ts';

/** The answer to `ping`. */
export const pong = JSON.stringify({ type: 'pong' });

/** A stream has begun: what to resume it by. */
export const started = (id: string, { requestId, modelId, replayed }: Answer, key: string | undefined): string =>
  JSON.stringify({
    type: 'started',
    id,
    requestId,
    model: modelId,
    replayed,
    ...(key === undefined ? {} : { key }),
  });

/** Writes the chunks of one stream; `json` is a chunk as it stands on the wire. */
export const chunkMessages = (id: string): ((position: number, json: string) => string) => {
  const head = `{"type":"chunk","id":${JSON.stringify(id)},"position":`;
  return (position, json) => `${head}${position},"chunk":${json}}`;
};

/** Something was refused or has failed. With an id it is the end of that stream, without one it is about a message. */
export const failed = (
  id: string | undefined,
  thrown: unknown,
  about: Readonly<{ requestId: string; ended?: Ended }>,
): string => {
  const { error } = problemOf(thrown);
  const { requestId, ended } = about;
  return JSON.stringify({
    type: 'error',
    id: id ?? null,
    ...(ended === undefined ? {} : { requestId }),
    error: envelopeOf(error, requestId),
    ...(error.retryAfterSeconds === undefined ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
    fallbackAttempted: ended?.fallbackAttempted ?? false,
    ...(ended?.usage === undefined ? {} : finalCharge(ended)),
  });
};

const failureOf = (ended: Ended): unknown =>
  ended.how === 'gone'
    ? new DomainError('timeout_error', 'the answer was ended because nobody had read it for a while')
    : brokenBy(ended);

/** How a stream ended: exactly one of these is sent for each stream that has started. */
export const over = (id: string, requestId: string, ended: Ended): string => {
  switch (ended.how) {
    case 'completed':
      return JSON.stringify({ type: 'completed', id, requestId, ...finalCharge(ended) });
    case 'cancelled':
      return JSON.stringify({
        type: 'cancelled',
        id,
        requestId,
        reason: 'cancelled on request',
        ...(ended.usage === undefined ? {} : finalCharge(ended)),
      });
    case 'failed':
    case 'gone':
      return failed(id, failureOf(ended), { requestId, ended });
  }
};

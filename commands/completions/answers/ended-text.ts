import { DomainError, errorCatalogue, isDomainError, type ErrorType } from '../../../src/kernel/errors.ts';
import { microOf, microText, usdText } from '../../../src/kernel/money.ts';
import { isUpstreamError, UpstreamError, type UpstreamFailure } from '../../../src/kernel/upstream.ts';
import type { Ended } from '../running-completion.ts';

type Failure =
  | Readonly<{ of: 'provider'; provider: string; kind: UpstreamFailure; status: number | null; waitMs: number | null }>
  | Readonly<{ of: 'request'; errorType: ErrorType; detail: string; details: unknown; waitSeconds: number | null }>
  | Readonly<{ of: 'server' }>;

type Written = Omit<Ended, 'charged' | 'failure'> & Readonly<{ charged: string; failure: Failure | null }>;

const failureOf = (failure: unknown): Failure | null => {
  if (failure === undefined) return null;
  if (isUpstreamError(failure)) {
    const { provider, kind, status = null, retryAfterMs = null } = failure;
    return { of: 'provider', provider, kind, status, waitMs: retryAfterMs };
  }
  if (!isDomainError(failure)) return { of: 'server' };
  const { errorType, detail, details = null, retryAfterSeconds = null } = failure;
  return { of: 'request', errorType, detail, details, waitSeconds: retryAfterSeconds };
};

const thrownFor = (failure: Failure | null): unknown => {
  if (failure === null) return undefined;
  switch (failure.of) {
    case 'provider': {
      const { provider, kind, status, waitMs } = failure;
      return new UpstreamError({ provider, kind, status: status ?? undefined, retryAfterMs: waitMs ?? undefined });
    }
    case 'request': {
      const { errorType, detail, details, waitSeconds } = failure;
      return new DomainError(errorType in errorCatalogue ? errorType : 'service_unavailable', detail, {
        ...(details === null ? {} : { details: details as Readonly<Record<string, unknown>> }),
        ...(waitSeconds === null ? {} : { retryAfterSeconds: waitSeconds }),
      });
    }
    case 'server':
      return new Error('the request failed on the instance that it ran on');
  }
};

/** An end as JSON, without anything that only its own process understands. */
export const writtenEnd = (ended: Ended): unknown =>
  ({ ...ended, charged: microText(ended.charged), failure: failureOf(ended.failure) }) satisfies Written;

/** What `writtenEnd` wrote. */
export const readEnd = (json: unknown): Ended => {
  const written = json as Written;
  return { ...written, usage: written.usage, charged: microOf(written.charged), failure: thrownFor(written.failure) };
};

/** True when money was given back or never taken: the work may be begun again. */
export const costNothing = ({ usage, estimated }: Ended): boolean => usage === undefined && !estimated;

/** What those are told whose answer broke off: after something of it was charged, or with everything given back. */
export const brokenOff = (requestId: string, charged?: bigint): DomainError => {
  if (charged === undefined) {
    return new DomainError(
      'external_service_error',
      'the answer broke off; nothing was charged; send the request again',
    );
  }
  const chargedUsd = usdText(charged);
  const why =
    `the answer broke off; ${chargedUsd} USD were charged for what was made of it; to have it made anew, ` +
    'send the request with another key';
  return new DomainError('external_service_error', why, { details: { requestId, chargedUsd } });
};

/** A recorded end for somebody who did not see it happen: what broke off and was charged says so. */
export const retold = (requestId: string, ended: Ended): Ended =>
  (ended.how === 'failed' || ended.how === 'gone') && ended.usage !== undefined
    ? { ...ended, how: 'failed', endedBy: 'sweeper', failure: brokenOff(requestId, ended.charged) }
    : ended;

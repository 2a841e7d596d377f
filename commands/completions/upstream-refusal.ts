import { DomainError, isDomainError } from '../../src/kernel/errors.ts';
import { isUpstreamError, type UpstreamError, type UpstreamFailure } from '../../src/kernel/upstream.ts';

const WHAT: Readonly<Record<UpstreamFailure, string>> = {
  auth: 'does not accept this server; tell its operator',
  quota: 'has no quota left for this server; tell its operator or choose another model',
  rate_limit: 'is busy; wait and try again',
  invalid_request: 'did not accept the request; check its parameters or choose another model',
  context_length: 'says that the context window is exceeded',
  not_found: 'does not know the model just now; choose another one',
  overloaded: 'is overloaded; wait and try again',
  server: 'failed; try again',
  timeout: 'did not answer in time; try again',
  network: 'could not be reached; try again',
  protocol: 'gave an answer that makes no sense; try again',
  aborted: 'was told to stop',
};

/** What happened at a provider, in words for the caller. Nothing of the provider's own text is in it. */
export const upstreamSays = ({ provider, kind, cause }: Pick<UpstreamError, 'provider' | 'kind' | 'cause'>): string =>
  isDomainError(cause) ? cause.detail : `${provider} ${WHAT[kind]}`;

/** What tells programs that a prompt is too long, whoever found that out. */
export const CONTEXT_EXCEEDED = { code: 'context_length_exceeded', param: 'messages' } as const;

/** Seconds until another try makes sense, where the provider has not said it. */
const AGAIN_AFTER: Readonly<Partial<Record<UpstreamFailure, number>>> = {
  rate_limit: 5,
  overloaded: 5,
  server: 2,
  timeout: 2,
  network: 2,
  protocol: 2,
};

const retryAfterOf = ({ kind, retryAfterMs }: UpstreamError): number | undefined => {
  if (retryAfterMs !== undefined) return Math.max(1, Math.ceil(retryAfterMs / 1_000));
  return AGAIN_AFTER[kind];
};

/** The statuses of a request that its sender has to mend. */
const ABOUT_THE_REQUEST: ReadonlySet<number> = new Set([400, 413, 422]);

/** True for what would fail again as it is, whoever is asked: nobody but the caller can do anything about it. */
const isCallersFault = ({ kind, status = 400 }: UpstreamError): boolean =>
  kind === 'invalid_request' && ABOUT_THE_REQUEST.has(status);

/**
 * How a provider's failure is told. A provider that limits this server is a 502 like any other of its failures: a 429
 * would tell callers that they themselves are too fast. A prompt that is too long and a request that the provider finds
 * wrong are the caller's to mend.
 */
export const refusalFor = (thrown: unknown): unknown => {
  if (!isUpstreamError(thrown)) return thrown;
  if (thrown.kind === 'context_length') {
    return new DomainError('bad_request', 'context window exceeded: shorten the prompt or choose another model', {
      details: CONTEXT_EXCEEDED,
    });
  }
  // A limit of our own kept the request from the provider: that is no failure of the provider's.
  if (isDomainError(thrown.cause)) return thrown.cause;
  const retryAfterSeconds = retryAfterOf(thrown);
  const { provider, status, kind } = thrown;
  return new DomainError(isCallersFault(thrown) ? 'bad_request' : 'external_service_error', upstreamSays(thrown), {
    details: { provider, failure: kind, ...(status === undefined ? {} : { status }) },
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    cause: thrown,
  });
};

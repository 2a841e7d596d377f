import { UpstreamError, type UpstreamFailure } from '../../../src/kernel/upstream.ts';

const SECRETS = /\b(?:sk|pk|rk|xai|org|proj)-\S*|\bBearer\s+\S+|\bAIza\S*|[\w.+-]+@[\w-]+\.[\w.]+/g;
const LONGEST = 500;

/** A provider's own words for our logs: one line, cut, without keys, organisation names and addresses. */
export const redacted = (text: string): string =>
  text
    .slice(0, 2 * LONGEST)
    .replace(/\s+/g, ' ')
    .replace(SECRETS, '***')
    .slice(0, LONGEST);

/** The members that providers of this family put into an error. */
export type ErrorBody = Readonly<{ message: string; type: string; code: string }>;

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  return typeof value === 'number' ? String(value) : '';
};

/** Reads `{error: {message, type, code}}`, `{error: "..."}` or the bare members; empty texts for what is missing. */
export const errorBodyOf = (json: unknown): ErrorBody => {
  if (typeof json !== 'object' || json === null) return { message: textOf(json), type: '', code: '' };
  const inner: unknown = 'error' in json && json.error !== null ? json.error : json;
  if (typeof inner !== 'object' || inner === null) return { message: textOf(inner), type: '', code: '' };
  const { message, type, code } = inner as Readonly<Record<string, unknown>>;
  return { message: textOf(message), type: textOf(type), code: textOf(code) };
};

const CONTEXT = /context[ _](?:length|window)|maximum context|too many (?:input )?tokens|prompt is too long/i;

const BY_STATUS: Readonly<Record<number, UpstreamFailure>> = {
  401: 'auth',
  402: 'quota',
  403: 'auth',
  404: 'not_found',
  408: 'timeout',
  409: 'overloaded',
  429: 'rate_limit',
  503: 'overloaded',
  504: 'timeout',
  529: 'overloaded',
};

const BY_WORD: readonly (readonly [RegExp, UpstreamFailure])[] = [
  [/insufficient_quota|billing|quota_exceeded/, 'quota'],
  [/rate_limit/, 'rate_limit'],
  [/invalid_api_key|authentication|permission/, 'auth'],
  [/overloaded|capacity|unavailable/, 'overloaded'],
  [/timeout/, 'timeout'],
  [/not_found/, 'not_found'],
  [/invalid|unsupported|below_min|above_max/, 'invalid_request'],
];

const isAboutContext = (status: number | undefined, { message, code }: ErrorBody): boolean =>
  CONTEXT.test(code) || ((status === undefined || status === 400 || status === 413) && CONTEXT.test(message));

const byWords = (words: string): UpstreamFailure => BY_WORD.find(([pattern]) => pattern.test(words))?.[1] ?? 'server';

/** What kind of failure a status and an error body are. */
export const failureKind = (status: number | undefined, body: ErrorBody): UpstreamFailure => {
  const words = `${body.code} ${body.type}`;
  if (isAboutContext(status, body)) return 'context_length';
  if (status === undefined) return byWords(words);
  if (status === 429 && /quota|billing/.test(words)) return 'quota';
  return BY_STATUS[status] ?? (status < 500 ? 'invalid_request' : 'server');
};

/** An error that came inside a good answer. */
export const inBandError = (provider: string, json: unknown): UpstreamError => {
  const body = errorBodyOf(json);
  return new UpstreamError({
    provider,
    kind: failureKind(undefined, body),
    providerMessage: redacted(`${body.code || body.type} ${body.message}`.trim()),
  });
};

/** An answer that is not what the protocol says. */
export const protocolError = (provider: string, what: string, cause?: unknown): UpstreamError =>
  new UpstreamError({ provider, kind: 'protocol', providerMessage: what, cause });

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** A connection that failed. `sent` is false when it is certain that no byte of the request went out. */
export const connectionError = (provider: string, error: unknown, sent: boolean): UpstreamError => {
  const code = codeOf(error);
  const late = /TIMEOUT|ETIMEDOUT/.test(code);
  return new UpstreamError({
    provider,
    kind: late ? 'timeout' : 'network',
    providerMessage: redacted(code || (error instanceof Error ? error.message : 'the connection failed')),
    neverReached: !sent,
    cause: error,
  });
};

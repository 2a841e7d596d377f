import { UpstreamError, type UpstreamFailure } from '../../../src/kernel/upstream.ts';

const SECRETS = /\b(?:sk|pk|rk|xai|org|proj)-\S*|\bBearer\s+\S+|\bAIza\S*|[\w.+-]+@[\w-]+\.[\w.]+/g;
const LONGEST = 500;

/** A provider's own words for our logs: one line, cut, without keys, organisation names and addresses. */
const redacted = (text: string): string =>
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

/**
 * Reads `{error: {message, type, code}}`, the same with `status` for the type or in a list of one, `{error: "...", code}`
 * or the bare members; empty texts for what is missing.
 */
export const errorBodyOf = (json: unknown): ErrorBody => {
  if (Array.isArray(json)) return errorBodyOf((json as readonly unknown[])[0] ?? '');
  if (typeof json !== 'object' || json === null) return { message: textOf(json), type: '', code: '' };
  const { error, code: outerCode } = json as Readonly<Record<string, unknown>>;
  const inner: unknown = error ?? json;
  if (typeof inner !== 'object' || inner === null) return { message: textOf(inner), type: '', code: textOf(outerCode) };
  const { message, type, code, status } = inner as Readonly<Record<string, unknown>>;
  return { message: textOf(message), type: textOf(type) || textOf(status), code: textOf(code) };
};

const CONTEXT =
  /context[ _](?:length|window|limit)|maximum (?:context|prompt)|too many (?:input )?tokens|prompt is too long|input token count/i;

const BY_STATUS: Readonly<Record<number, UpstreamFailure>> = {
  401: 'auth',
  402: 'quota',
  403: 'auth',
  404: 'not_found',
  408: 'timeout',
  409: 'overloaded',
  429: 'rate_limit',
  // The provider's own word for a call that it gave up.
  499: 'server',
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

/** Refusals whose status says nothing of their cause. */
const BY_MESSAGE: readonly (readonly [RegExp, UpstreamFailure])[] = [
  [/api key not valid|api key expired/i, 'auth'],
  [/credit balance is too low/i, 'quota'],
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
  const told = status === 400 ? BY_MESSAGE.find(([pattern]) => pattern.test(body.message)) : undefined;
  if (told !== undefined) return told[1];
  return BY_STATUS[status] ?? (status < 500 ? 'invalid_request' : 'server');
};

const ABOUT_THE_REQUEST: ReadonlySet<UpstreamFailure> = new Set(['invalid_request', 'context_length']);

/** The provider's own words of an error, for logs. What is said of a request may quote it, and is left out. */
export const wordsOf = (kind: UpstreamFailure, { code, type, message }: ErrorBody): string =>
  redacted([code, type, ABOUT_THE_REQUEST.has(kind) ? '' : message].filter((word) => word !== '').join(' '));

/** The status that some providers put into an error inside a good answer. */
const statusIn = ({ code }: ErrorBody): number | undefined => (/^[45]\d\d$/.test(code) ? Number(code) : undefined);

/** An error that came inside a good answer. */
export const inBandError = (provider: string, json: unknown): UpstreamError => {
  const body = errorBodyOf(json);
  const kind = failureKind(statusIn(body), body);
  return new UpstreamError({ provider, kind, providerMessage: wordsOf(kind, body) });
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

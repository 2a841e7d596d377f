import { errorCatalogue, type DomainError, type ErrorKind, type ErrorType } from '../kernel/errors.ts';

/** What OpenAI's clients read for every status from 400 up, and inside a stream that breaks. */
export type OpenAiError = Readonly<{
  error: Readonly<{ message: string; type: string; param: string | null; code: string | null }>;
}>;

/** True for the paths whose callers expect everything in OpenAI's format, whatever answers there. */
export const speaksOpenAi = (path: string): boolean => path === '/v1' || path.startsWith('/v1/');

/** OpenAI's word for a kind of refusal; `invalid_request_error` for those that the caller has to mend. */
const TYPES: Partial<Record<ErrorKind, string>> = {
  payment: 'insufficient_quota',
  'too-many': 'requests',
  internal: 'server_error',
  unsupported: 'server_error',
  upstream: 'server_error',
  unavailable: 'server_error',
};

/** OpenAI's codes where it has one for the same thing; everything else goes by our own name. */
const CODES: Partial<Record<ErrorType, string | null>> = {
  bad_request: null,
  validation_error: null,
  invalid_argument: null,
  authentication_error: 'invalid_api_key',
  unauthorized: 'invalid_api_key',
  credit_insufficient: 'insufficient_quota',
  spending_limit_exceeded: 'insufficient_quota',
  forbidden: 'insufficient_permissions',
  not_found: 'unknown_url',
  method_not_allowed: 'method_not_supported',
  rate_limit_error: 'rate_limit_exceeded',
};

const textIn = (error: DomainError, name: string): string | undefined => {
  const value = error.details?.[name];
  return typeof value === 'string' ? value : undefined;
};

/** `messages.0.content` as OpenAI writes it: `messages[0].content`. */
const paramOf = (error: DomainError): string | null =>
  textIn(error, 'param')?.replaceAll(/\.(\d+)(?=\.|$)/g, '[$1]') ?? null;

const codeOf = (error: DomainError): string | null => {
  const told = textIn(error, 'code') ?? CODES[error.errorType];
  return told === undefined ? error.errorType : told;
};

/** A refusal in OpenAI's shape. `details.param` and `details.code` of the refusal take their places in it. */
export const openAiError = (error: DomainError): OpenAiError => ({
  error: {
    message: error.message,
    type: TYPES[errorCatalogue[error.errorType].kind] ?? 'invalid_request_error',
    param: paramOf(error),
    code: codeOf(error),
  },
});

const FINAL_KINDS: ReadonlySet<ErrorKind> = new Set(['conflict', 'unsupported']);
const FINAL_FAILURES: ReadonlySet<string | undefined> = new Set([
  'auth',
  'quota',
  'invalid_request',
  'not_found',
  'broken_off',
]);

/**
 * Tells the SDKs to give up where the same request would end the same way: by themselves they send everything with 409
 * and from 500 up again.
 */
export const openAiHeaders = (error: DomainError): Readonly<Record<string, string>> => {
  const isFinal =
    error.errorType === 'configuration_error' ||
    FINAL_KINDS.has(errorCatalogue[error.errorType].kind) ||
    FINAL_FAILURES.has(textIn(error, 'failure'));
  return isFinal ? { 'X-Should-Retry': 'false' } : {};
};

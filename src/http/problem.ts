import { DomainError, errorCatalogue, isDomainError } from '../kernel/errors.ts';
import type { ErrorDetails, ErrorKind, ErrorType } from '../kernel/errors.ts';
import { isUnavailable } from './faults.ts';

/** The only place where a kind of refusal meets a number. */
const statusOf = {
  invalid: 400,
  unauthenticated: 401,
  payment: 402,
  forbidden: 403,
  missing: 404,
  method: 405,
  timeout: 408,
  conflict: 409,
  precondition: 412,
  'too-large': 413,
  socket: 426,
  'too-many': 429,
  internal: 500,
  unsupported: 501,
  upstream: 502,
  unavailable: 503,
} as const satisfies Record<ErrorKind, number>;

/** What a client reads for every status from 400 up. The type is there in the spelling of each client. */
export type Envelope = Readonly<{
  code: number;
  message: string;
  error_type: ErrorType;
  errorType: ErrorType;
  request_id: string;
  error_details?: ErrorDetails;
}>;

/** A thrown thing as it is told. A fault is ours: its cause goes to the log and to nobody else. */
export type Problem = Readonly<{ status: number; error: DomainError; fault: boolean }>;

const unavailable = () =>
  new DomainError('service_unavailable', 'a part of the service does not answer just now; try again in a few seconds', {
    retryAfterSeconds: 3,
  });

const internal = () =>
  new DomainError('internal_error', 'the request failed on our side; try again, and quote the request id if it stays');

const refusalOf = (thrown: unknown): DomainError => {
  if (isDomainError(thrown)) return thrown;
  return isUnavailable(thrown) ? unavailable() : internal();
};

/** The HTTP status of an error type. */
const statusOfType = (type: ErrorType): number => statusOf[errorCatalogue[type].kind];

/** How anything that was thrown is answered. */
export const problemOf = (thrown: unknown): Problem => {
  const error = refusalOf(thrown);
  return { status: statusOfType(error.errorType), error, fault: error !== thrown };
};

/** The body for a refusal. `status` differs from the type's own only where HTTP has no type of ours. */
export const envelopeOf = (
  error: DomainError,
  requestId: string,
  status = statusOfType(error.errorType),
): Envelope => ({
  code: status,
  message: error.message,
  error_type: error.errorType,
  errorType: error.errorType,
  request_id: requestId,
  ...(error.details === undefined ? {} : { error_details: error.details }),
});

/** Headers that belong to a refusal. */
export const headersOf = (error: DomainError): Readonly<Record<string, string>> => ({
  ...(error.retryAfterSeconds === undefined
    ? {}
    : { 'Retry-After': Math.max(1, Math.ceil(error.retryAfterSeconds)).toString() }),
  ...(errorCatalogue[error.errorType].kind === 'unauthenticated' ? { 'WWW-Authenticate': 'Bearer' } : {}),
  ...(errorCatalogue[error.errorType].kind === 'socket' ? { Upgrade: 'websocket', Connection: 'Upgrade' } : {}),
});

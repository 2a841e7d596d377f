/** What a refusal means to its caller; the edge alone turns a kind into an HTTP status. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'payment'
  | 'forbidden'
  | 'missing'
  | 'method'
  | 'timeout'
  | 'conflict'
  | 'precondition'
  | 'too-large'
  | 'socket'
  | 'too-many'
  | 'internal'
  | 'unsupported'
  | 'upstream'
  | 'unavailable';

/**
 * Every `error_type` that goes on the wire, with the label that starts its message. Clients choose their own behaviour
 * by these names, so a name is never changed; each has a page in docs/errors.
 */
export const errorCatalogue = {
  bad_request: { kind: 'invalid', label: 'Bad request' },
  validation_error: { kind: 'invalid', label: 'Validation error' },
  invalid_argument: { kind: 'invalid', label: 'Invalid argument' },
  authentication_error: { kind: 'unauthenticated', label: 'Authentication failed' },
  unauthorized: { kind: 'unauthenticated', label: 'Unauthorized' },
  credit_insufficient: { kind: 'payment', label: 'Insufficient credits' },
  payment_method_required: { kind: 'payment', label: 'Payment method required' },
  billing_address_required: { kind: 'payment', label: 'Billing address required' },
  billing_error: { kind: 'payment', label: 'Billing error' },
  spending_limit_exceeded: { kind: 'payment', label: 'Spending limit exceeded' },
  forbidden: { kind: 'forbidden', label: 'Forbidden' },
  not_found: { kind: 'missing', label: 'Not found' },
  method_not_allowed: { kind: 'method', label: 'Method not allowed' },
  timeout_error: { kind: 'timeout', label: 'Timeout' },
  already_exists: { kind: 'conflict', label: 'Already exists' },
  billing_conflict: { kind: 'conflict', label: 'Billing conflict' },
  precondition_failed: { kind: 'precondition', label: 'Precondition failed' },
  payload_too_large: { kind: 'too-large', label: 'Payload too large' },
  websocket_required: { kind: 'socket', label: 'WebSocket required' },
  rate_limit_error: { kind: 'too-many', label: 'Too many requests' },
  internal_error: { kind: 'internal', label: 'Internal error' },
  not_implemented: { kind: 'unsupported', label: 'Not available' },
  external_service_error: { kind: 'upstream', label: 'External service error' },
  configuration_error: { kind: 'unavailable', label: 'Not configured' },
  service_unavailable: { kind: 'unavailable', label: 'Temporarily unavailable' },
} as const satisfies Record<string, { kind: ErrorKind; label: string }>;

export type ErrorType = keyof typeof errorCatalogue;

/** A JSON object that tells a program what the message tells a person. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** A refusal: told to the caller, never logged as an alarm. Everything else that is thrown is a fault. */
export class DomainError extends Error {
  /** Told apart by this and not by `instanceof`, which two copies of a module would break. */
  readonly tag = 'DomainError';
  readonly errorType: ErrorType;
  /** What is wrong and what the caller can do; shown to the caller. */
  readonly detail: string;
  readonly details: ErrorDetails | undefined;
  /** Seconds after which a retry makes sense; becomes `Retry-After`. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    errorType: ErrorType,
    detail: string,
    extra: Readonly<{ details?: ErrorDetails; retryAfterSeconds?: number; cause?: unknown }> = {},
  ) {
    super(`${errorCatalogue[errorType].label}: ${detail}`, extra.cause === undefined ? {} : { cause: extra.cause });
    this.name = 'DomainError';
    this.errorType = errorType;
    this.detail = detail;
    this.details = extra.details;
    this.retryAfterSeconds = extra.retryAfterSeconds;
  }
}

/** True for a refusal, also one made by another copy of this module. */
export const isDomainError = (error: unknown): error is DomainError =>
  error instanceof Error && (error as Partial<DomainError>).tag === 'DomainError';

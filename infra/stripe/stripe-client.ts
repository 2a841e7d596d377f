import Stripe from 'stripe';
import { DomainError } from '../../src/kernel/errors.ts';
import { CustomerGoneError } from '../../src/kernel/payments.ts';
import type { Logger } from '../../src/kernel/logger.ts';

export type StripeOptions = Readonly<{
  secretKey: string;
  /** Another address than Stripe's own, for the local double. */
  apiBase?: string;
  timeoutMs?: number;
  logger: Logger;
}>;

/** Somebody waits for most calls, and a job repeats the others: a provider that hangs is given up after ten seconds. */
const TIMEOUT_MS = 5_000;
const RETRIES = 1;

/** The version that requests are made in and notices must come in; the endpoint at Stripe is set to the same. */
export const STRIPE_API_VERSION = '2026-10-28.endive';

/** Stripe's client, with the version of the API that this build is written for. */
export const stripeClient = ({ secretKey, apiBase, timeoutMs = TIMEOUT_MS }: StripeOptions): Stripe => {
  const base = apiBase === undefined ? undefined : new URL(apiBase);
  return new Stripe(secretKey, {
    apiVersion: STRIPE_API_VERSION,
    maxNetworkRetries: RETRIES,
    timeout: timeoutMs,
    telemetry: false,
    ...(base === undefined
      ? {}
      : {
          host: base.hostname,
          port: base.port === '' ? (base.protocol === 'http:' ? 80 : 443) : Number(base.port),
          protocol: base.protocol === 'http:' ? 'http' : 'https',
        }),
  });
};

/** True when Stripe says that there is no such object. */
export const isMissing = (error: unknown): boolean =>
  error instanceof CustomerGoneError ||
  (error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'resource_missing');

/** Stripe says which of the things named is not there. */
const isCustomerGone = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeInvalidRequestError &&
  error.code === 'resource_missing' &&
  error.param === 'customer';

/** True when the buyer's bank or card said no, which the facts of the payment tell again. */
export const isCardRefusal = (error: unknown): boolean =>
  error instanceof Stripe.errors.StripeCardError ||
  (error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'invoice_payment_intent_requires_action');

/** Does one call; what Stripe does not do is an external_service_error, and its reason goes to the log. */
export const stripeCaller =
  (logger: Logger) =>
  async <T>(what: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      if (isCustomerGone(error)) throw new CustomerGoneError();
      if (!(error instanceof Stripe.errors.StripeError) || isCardRefusal(error) || isMissing(error)) throw error;
      const { type, code, statusCode, requestId } = error;
      logger.warn({ what, type, code, statusCode, stripeRequest: requestId }, 'Stripe did not do what was asked');
      throw new DomainError('external_service_error', 'the payment provider did not answer as it should; try again', {
        retryAfterSeconds: 5,
        cause: error,
      });
    }
  };

export type StripeCaller = ReturnType<typeof stripeCaller>;

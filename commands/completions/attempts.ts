import type { FailedAttempt } from '../../src/events/credit-account/credit-account.events.ts';
import { isoOf, type Clock } from '../../src/kernel/clock.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import {
  isUpstreamError,
  type UpstreamError,
  type UpstreamEvent,
  type UpstreamFailure,
} from '../../src/kernel/upstream.ts';
import type { Attempt, Plan } from './plan.ts';

export type AttemptDeps = Readonly<{ clock: Clock; logger: Logger; pause: (milliseconds: number) => Promise<void> }>;

type Batches = AsyncIterable<readonly UpstreamEvent[]>;

/** The providers of one request, asked one after the other. */
export type Attempts = Readonly<{
  /** Resolves with the answer of the first provider that accepts. Rejects with the failure of the last one. */
  connect: () => Promise<Batches>;
  /** After a failure before anything was said: the answer of a further provider. Rejects when there is none to ask. */
  next: (failure: unknown) => Promise<Batches>;
  /** The provider that is asked, or was asked last. */
  current: () => Attempt;
  failed: () => readonly FailedAttempt[];
}>;

/** Failures without a status that are the provider's moment of weakness and not the request's fault. */
const PASSING: ReadonlySet<UpstreamFailure> = new Set(['rate_limit', 'overloaded', 'server', 'timeout', 'network']);
const PASSING_STATUS: ReadonlySet<number> = new Set([408, 409, 429]);
/** A provider that asks for no more patience than this is asked again when there is no other. */
const LONGEST_WAIT_MS = 3_000;

const isPassing = ({ status, kind }: UpstreamError): boolean =>
  status === undefined ? PASSING.has(kind) : PASSING_STATUS.has(status) || status >= 500;

/** Goes through a plan's providers. `signal` ends it all. */
export const attemptsOf = (deps: AttemptDeps, { requestId, attempts }: Plan, signal: AbortSignal): Attempts => {
  const failed: FailedAttempt[] = [];
  const isOver = (): boolean => signal.aborted;
  let index = 0;
  let current: Attempt = attempts[0];
  let waited = false;

  /** The next to ask after a failure: another provider, or the same one when it has said when to come back. */
  const following = async (failure: UpstreamError): Promise<Attempt | undefined> => {
    const other = attempts[index + 1];
    if (other !== undefined) {
      index += 1;
      return other;
    }
    const { retryAfterMs } = failure;
    if (waited || retryAfterMs === undefined || retryAfterMs > LONGEST_WAIT_MS) return undefined;
    waited = true;
    // The pause is spread by chance; it is never to be shorter than what was asked for.
    await deps.pause(2 * retryAfterMs);
    return current;
  };

  const next = async (failure: unknown): Promise<Batches> => {
    if (!isUpstreamError(failure) || !isPassing(failure) || isOver()) throw failure;
    const { provider, model } = current;
    const { kind, status = null } = failure;
    failed.push({ provider, model, failure: kind, status, at: isoOf(deps.clock()) });
    const other = await following(failure);
    if (other === undefined || isOver()) throw failure;
    deps.logger.warn(
      { requestId, provider, failure: kind, status, next: other.provider },
      'a provider failed; asking on',
    );
    current = other;
    return ask();
  };

  const ask = async (): Promise<Batches> => {
    try {
      return await current.call({ signal });
    } catch (error) {
      return next(error);
    }
  };

  return { connect: ask, next, current: () => current, failed: () => failed };
};

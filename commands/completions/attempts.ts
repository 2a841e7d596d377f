import type { FailedAttempt } from '../../src/events/credit-account/credit-account.events.ts';
import { isoOf, type Clock } from '../../src/kernel/clock.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import {
  isPassingFailure,
  isUpstreamError,
  UpstreamError,
  type CallOptions,
  type UpstreamEvent,
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
  /** Notes that the provider that is asked has failed. */
  note: (failure: unknown) => void;
  /** The provider that is asked, or was asked last. */
  current: () => Attempt;
  /** All that failed, in that order. */
  failed: () => readonly FailedAttempt[];
}>;

/** A provider that asks for no more patience than this is asked again when there is no other. */
const LONGEST_WAIT_MS = 3_000;

/** Resolves when the signal aborts. */
const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Goes through a plan's providers. None is asked any more once the answer is unwanted. */
export const attemptsOf = (
  deps: AttemptDeps,
  { requestId, attempts }: Plan,
  options: Required<CallOptions>,
): Attempts => {
  const failed: FailedAttempt[] = [];
  const { unwanted } = options;
  const isOver = (): boolean => unwanted.aborted;
  let index = 0;
  let current: Attempt = attempts[0];
  let waited = false;

  const note = (failure: unknown): void => {
    if (!isUpstreamError(failure) || failure.kind === 'aborted') return;
    const { provider, model } = current;
    const { kind, status = null } = failure;
    failed.push({ provider, model, failure: kind, status, at: isoOf(deps.clock()) });
  };

  /** The next to ask after a failure: another provider, or the same one when it has said when to come back. */
  const following = async ({ retryAfterMs }: UpstreamError): Promise<Attempt | undefined> => {
    const other = attempts[index + 1];
    if (other !== undefined) {
      index += 1;
      return other;
    }
    if (waited || retryAfterMs === undefined || retryAfterMs > LONGEST_WAIT_MS) return undefined;
    waited = true;
    // The pause is spread by chance; it is never to be shorter than what was asked for.
    await Promise.race([deps.pause(2 * retryAfterMs), aborted(unwanted)]);
    return current;
  };

  const next = async (failure: unknown): Promise<Batches> => {
    note(failure);
    if (!isUpstreamError(failure) || !isPassingFailure(failure) || isOver()) throw failure;
    const other = await following(failure);
    if (other === undefined || isOver()) throw failure;
    const { provider } = current;
    const { kind, status } = failure;
    deps.logger.warn(
      { requestId, provider, failure: kind, status, next: other.provider },
      'a provider failed; asking on',
    );
    current = other;
    return ask();
  };

  const ask = async (): Promise<Batches> => {
    const { provider } = current;
    if (isOver()) throw new UpstreamError({ provider, kind: 'aborted', neverReached: true });
    try {
      return await current.call(options);
    } catch (error) {
      return next(error);
    }
  };

  return { connect: ask, next, note, current: () => current, failed: () => failed };
};

import type { Clock } from '../../../src/kernel/clock.ts';
import { DomainError } from '../../../src/kernel/errors.ts';
import type { Logger } from '../../../src/kernel/logger.ts';
import {
  isUpstreamError,
  UpstreamError,
  type CallOptions,
  type ChatUpstream,
  type UpstreamEvent,
} from '../../../src/kernel/upstream.ts';
import { upstreamBreaker, type BreakerLimits } from './breaker.ts';
import { places, type Leave, type NoPlace, type PlaceLimits } from './places.ts';
import { restingModels } from './resting-models.ts';

type Batch = readonly UpstreamEvent[];
type Batches = AsyncIterable<Batch>;
type Addressed = Readonly<{ model: string }>;

/** `longestRestMs`: how long a model is not called at most when the upstream asks for a rest. */
export type GuardLimits = PlaceLimits & BreakerLimits & Readonly<{ longestRestMs: number }>;

/** Stands between this server and one upstream. */
export type UpstreamGuard = Readonly<{
  /**
   * Makes a call when the upstream may have it: it is not left alone after failures, has not asked for a rest, and has a
   * place. Throws UpstreamError with `neverReached` when not. The place is kept until the answer is over: at its end, when
   * it breaks, is left, or when the call's signal aborts.
   */
  stream: (request: Addressed, options: CallOptions, call: () => Promise<Batches>) => Promise<Batches>;
  /** The same for an answer that comes at once. */
  once: <T>(request: Addressed, options: CallOptions, call: () => Promise<T>) => Promise<T>;
  /** Calls that are under way. */
  taken: () => number;
  waiting: () => number;
}>;

const TRY_AGAIN_SECONDS = 2;
const TRY_AGAIN_MS = TRY_AGAIN_SECONDS * 1_000;

/** Too much of our own: another provider may have room, else it is this server that is told to be full. */
const noPlace = (provider: string, reason: NoPlace): UpstreamError => {
  if (reason === 'unwanted') return new UpstreamError({ provider, kind: 'aborted', neverReached: true });
  const cause = new DomainError(
    'service_unavailable',
    `this server has as many requests at ${provider} as it may; try again`,
    { retryAfterSeconds: TRY_AGAIN_SECONDS },
  );
  const providerMessage = reason === 'full' ? 'the queue is full' : 'waited too long for a place';
  const retryAfterMs = TRY_AGAIN_MS;
  return new UpstreamError({ provider, kind: 'overloaded', retryAfterMs, providerMessage, neverReached: true, cause });
};

/** The same answer; tells when it is over and whether it broke. */
const watched = (batches: Batches, over: Leave, broke: (failure: unknown) => void): Batches => ({
  [Symbol.asyncIterator]: () => {
    const iterator = batches[Symbol.asyncIterator]();
    const stepped = (step: IteratorResult<Batch, unknown>): IteratorResult<Batch, unknown> => {
      if (step.done === true) over();
      return step;
    };
    const failed = (failure: unknown): never => {
      over();
      broke(failure);
      throw failure;
    };
    return {
      next: () => iterator.next().then(stepped, failed),
      return: async () => {
        over();
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    };
  },
});

/** A guard for one upstream, shared by everything that calls it. */
export const upstreamGuard = (
  deps: GuardLimits & Readonly<{ provider: string; clock: Clock; logger: Logger }>,
): UpstreamGuard => {
  const { provider } = deps;
  const breaker = upstreamBreaker(deps);
  const resting = restingModels(deps);
  const room = places(deps, (reason) => noPlace(provider, reason));

  const check = (model: string): void => {
    breaker.check();
    resting.check(model);
  };

  const begin = async <T>(model: string, options: CallOptions, call: () => Promise<T>) => {
    check(model);
    const place = room.take(options);
    // Most are let in at once; waiting costs a turn.
    const leave = typeof place === 'function' ? place : await place;
    try {
      resting.check(model);
      return { answer: await breaker.run(call), leave };
    } catch (error) {
      // Before the place is given on: who waits for it is not to ask either.
      if (isUpstreamError(error)) resting.note(model, error);
      leave();
      throw error;
    }
  };

  return {
    stream: async ({ model }, options, call) => {
      const { answer, leave } = await begin(model, options, call);
      const { signal } = options;
      const over = (): void => {
        signal.removeEventListener('abort', over);
        leave();
      };
      signal.addEventListener('abort', over, { once: true });
      if (signal.aborted) over();
      return watched(answer, over, breaker.note);
    },
    once: async ({ model }, options, call) => {
      const { answer, leave } = await begin(model, options, call);
      leave();
      return answer;
    },
    taken: room.taken,
    waiting: room.waiting,
  };
};

/** An upstream behind a guard. */
export const guarded = (upstream: ChatUpstream, guard: UpstreamGuard): ChatUpstream => ({
  ...upstream,
  stream: (request, options) => guard.stream(request, options, () => upstream.stream(request, options)),
  complete: (request, options) => guard.once(request, options, () => upstream.complete(request, options)),
});

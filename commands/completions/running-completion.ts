import { DomainError, isDomainError } from '../../src/kernel/errors.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import type { TokenCounter } from '../../src/kernel/tokens-estimate.ts';
import type { UpstreamEvent } from '../../src/kernel/upstream.ts';
import type { EndedBy, FinishReason, Usage } from '../../src/kernel/usage.ts';
import { attemptsOf } from './attempts.ts';
import type { Ledger, LedgerDeps } from './ledger.ts';
import type { Plan } from './plan.ts';
import { settling } from './settling.ts';
import { refusalFor } from './upstream-refusal.ts';
import { usageMeter } from './usage-meter.ts';

/** Where the pieces of an answer go. A promise means: wait until I can take more. */
export type CompletionSink = Readonly<{ take: (batch: readonly UpstreamEvent[]) => Promise<void> | undefined }>;

/** How a request ended. Its charge is durable, but for one that nobody waits for any more and that is still counted. */
export type Ended = Readonly<{
  how: 'completed' | 'cancelled' | 'failed' | 'gone';
  endedBy: EndedBy;
  finish: FinishReason | null;
  /** What was charged for; undefined when nothing was. */
  usage: Usage | undefined;
  charged: MicroUsd;
  estimated: boolean;
  /** Why it failed. */
  failure: unknown;
  /** True when another provider was asked too. */
  fallbackAttempted: boolean;
}>;

/** An answer on its way to somebody. */
export type Answering = Readonly<{
  requestId: string;
  modelId: string;
  /** Hands the answer on until it ends. Resolves when the charge is durable; never rejects. */
  deliver: (sink: CompletionSink) => Promise<Ended>;
}>;

/** A request with its money on hold, and its only owner: whatever happens, it ends in one charge or one release. */
export type RunningCompletion = Answering &
  Readonly<{
    userId: string;
    provider: string;
    startedAt: Date;
    upstreamId: () => string | null;
    /**
     * Waits until a provider has accepted, for `limitMs` at most when given. Throws the refusal when all fail before that;
     * everything is settled then.
     */
    accepted: (limitMs?: number) => Promise<void>;
    /** Ends it from outside, at once. Resolves when the answer is over for everybody; `settled` when it is charged. */
    stop: (by: 'client' | 'cancel' | 'shutdown') => Promise<Ended>;
    /** True once it was told to end. */
    isStopped: () => boolean;
    /** Tells the account that it lives and what it has used. */
    renew: () => Promise<void>;
    settled: Promise<Ended>;
  }>;

export type RunningDeps = LedgerDeps & Readonly<{ counter: TokenCounter }>;

/** The client has gone before the answer began; nobody is left to be told. */
const goneError = (): Error => Object.assign(new Error('the client has gone'), { name: 'AbortError' });

const ABORTED = 'the request has ended';

/** Ask for more money when this share of the hold, in percent, is used. */
const EXTEND_AT = 80n;
/** The least that is added to a hold, so that a stream does not live from hand to mouth: a cent. */
const LEAST_EXTENSION: MicroUsd = 10_000n;
/** Who cancels hears so after this long, also while the provider is still asked what it has counted. */
const TELL_STOPPED_MS = 1_000;

/** Sends a request to its provider and owns it until it is settled. Its money must be on hold. */
export const runningCompletion = (
  deps: RunningDeps,
  plan: Plan,
  ledger: Ledger,
  gone: AbortSignal,
): RunningCompletion => {
  const { logger, clock } = deps;
  const { requestId, work } = plan;
  const startedAt = clock();
  const meter = usageMeter(plan.price, plan.promptTokens, deps.counter);
  const cancelling = new AbortController();
  const attempts = attemptsOf(deps, plan, cancelling.signal);
  const settle = settling({ ...deps, plan, ledger, meter, attempts, startedAt });
  const settlement = Promise.withResolvers<Ended>();
  /** Resolves when nobody waits for the answer any more. */
  const left = Promise.withResolvers<Ended>();
  let held = plan.estimate + plan.margin;
  let stoppedBy: EndedBy | undefined;
  let isAccepted = false;
  let pumping = false;
  let draining: NodeJS.Timeout | undefined;
  let failure: unknown;
  let ending = false;

  meter.budget((held * EXTEND_AT) / 100n);

  /** True when the answer is all there: whatever happens then changes nothing about it. */
  const isWhole = (): boolean => meter.finish() !== undefined && stoppedBy !== 'credit';

  const howItEnded = (): Ended['how'] => {
    if (isWhole() || stoppedBy === 'credit') return 'completed';
    if (stoppedBy === undefined) return failure === undefined ? 'completed' : 'failed';
    if (stoppedBy === 'client') return 'gone';
    return stoppedBy === 'cancel' ? 'cancelled' : 'failed';
  };

  /** What a failure of the provider's or of ours left behind is charged only when it reached the client. */
  const isConsumed = (how: Ended['how']): boolean =>
    isAccepted && (how !== 'failed' || (work.streamed && meter.hasOutput()));

  /** Settles once, however often it is called. */
  const end = (): Promise<Ended> => {
    if (ending) return settlement.promise;
    ending = true;
    clearTimeout(draining);
    gone.removeEventListener('abort', onGone);
    const how = howItEnded();
    // An answer that has ended by itself needs no abort, and an abort that needs no stack is cheap.
    if (how !== 'completed' || stoppedBy !== undefined) cancelling.abort(ABORTED);
    const endedBy = isWhole() ? 'provider' : (stoppedBy ?? 'provider');
    void settle({ how, endedBy, failure, isConsumed: isConsumed(how), isStopped: stoppedBy !== undefined }).then(
      settlement.resolve,
    );
    return settlement.promise;
  };

  /** Leaves the provider's meter running where stopping the answer would not stop it. */
  const drain = (): void => {
    const { limitSeconds } = attempts.current().disconnect;
    draining = setTimeout(() => cancelling.abort(ABORTED), limitSeconds * 1_000);
    if (!pumping) void pump(undefined);
  };

  const stop = (by: EndedBy): void => {
    if (ending) return;
    if (stoppedBy !== undefined) {
      if (by === 'shutdown') cancelling.abort(ABORTED);
      return;
    }
    stoppedBy = by;
    const nobodyWaits = by === 'client' || by === 'cancel';
    if (nobodyWaits && !isWhole()) {
      const how = howItEnded();
      setTimeout(() => left.resolve(settle.told(how, by)), TELL_STOPPED_MS).unref();
    }
    if (nobodyWaits && attempts.current().disconnect.policy === 'drain') return drain();
    cancelling.abort(ABORTED);
    if (!pumping) void end();
  };
  const onGone = (): void => stop('client');

  const watched = (connecting: ReturnType<typeof attempts.connect>): typeof connecting => {
    connecting.then(
      () => {
        isAccepted = true;
      },
      (error: unknown) => {
        failure = error;
        if (!pumping) void end();
      },
    );
    return connecting;
  };
  let connecting = watched(attempts.connect());
  gone.addEventListener('abort', onGone, { once: true });
  if (gone.aborted) onGone();

  /** Asks for more money; without it the answer ends here. */
  const keepHold = async (): Promise<void> => {
    await meter.count();
    if (!meter.mayExceed()) return;
    const initial = plan.estimate + plan.margin;
    const add = initial > LEAST_EXTENSION ? initial : LEAST_EXTENSION;
    try {
      await ledger.extend(add);
      held += add;
      meter.budget((held * EXTEND_AT) / 100n);
    } catch (error) {
      if (!isDomainError(error)) logger.warn({ requestId, err: error }, 'the hold could not be extended');
      stop('credit');
    }
  };

  const isOver = (): boolean => stoppedBy !== undefined && draining === undefined;

  /** Reads one provider's answer to its end, or until nobody wants it. */
  const read = async (batches: AsyncIterable<readonly UpstreamEvent[]>, sink: CompletionSink | undefined) => {
    for await (const batch of batches) {
      meter.take(batch);
      // What arrives after the end was asked for is charged for but not handed on.
      if (isOver()) return;
      if (draining !== undefined) continue;
      const drained = sink?.take(batch);
      if (drained !== undefined) await drained;
      if (meter.mayExceed()) await keepHold();
    }
  };

  /** Hands on what the providers say; asks the next one when one breaks before it has said anything. */
  const pump = async (sink: CompletionSink | undefined): Promise<void> => {
    pumping = true;
    for (;;) {
      try {
        await read(await connecting, sink);
        break;
      } catch (error) {
        failure = error;
        if (!isAccepted || meter.hasOutput() || stoppedBy !== undefined) break;
        isAccepted = false;
        failure = undefined;
        meter.restart();
        connecting = watched(attempts.next(error));
      }
    }
    await end();
  };

  return {
    requestId,
    userId: plan.userId,
    provider: work.provider,
    modelId: plan.modelId,
    startedAt,
    upstreamId: meter.upstreamId,
    settled: settlement.promise,
    isStopped: () => stoppedBy !== undefined,
    accepted: async (limitMs) => {
      const late = Promise.withResolvers<'late'>();
      const timer = limitMs === undefined ? undefined : setTimeout(() => late.resolve('late'), limitMs);
      try {
        await Promise.race([connecting, late.promise, left.promise]);
      } catch (error) {
        await end();
        throw stoppedBy === 'client' ? goneError() : stoppedBy === undefined ? refusalFor(error) : stopped(stoppedBy);
      } finally {
        clearTimeout(timer);
      }
    },
    deliver: (sink) => {
      if (!ending && !pumping) void pump(sink);
      return Promise.race([settlement.promise, left.promise]);
    },
    stop: (by) => {
      stop(by);
      return Promise.race([settlement.promise, left.promise]);
    },
    renew: async () => {
      await meter.count();
      if (!ending) await ledger.renew(isAccepted ? meter.read().metered : null);
    },
  };
};

/** How a request that was ended from outside is told to a client that still waits for its first byte. */
const stopped = (by: EndedBy): DomainError =>
  by === 'shutdown'
    ? new DomainError('service_unavailable', 'the server is going down; try again', { retryAfterSeconds: 2 })
    : new DomainError('bad_request', 'the request was cancelled');

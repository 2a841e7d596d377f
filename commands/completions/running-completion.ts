import { DomainError, isDomainError } from '../../src/kernel/errors.ts';
import type { MicroUsd } from '../../src/kernel/money.ts';
import type { TokenCounter } from '../../src/kernel/tokens-estimate.ts';
import type { UpstreamEvent } from '../../src/kernel/upstream.ts';
import type { EndedBy, FinishReason, Usage } from '../../src/kernel/usage.ts';
import type { Plan } from './admission.ts';
import type { Ledger, LedgerDeps } from './ledger.ts';
import { refusalFor } from './upstream-refusal.ts';
import { usageMeter } from './usage-meter.ts';

/** Where the pieces of an answer go. A promise means: wait until I can take more. */
export type CompletionSink = Readonly<{ take: (batch: readonly UpstreamEvent[]) => Promise<void> | undefined }>;

/** How a request ended; its charge is durable. */
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
}>;

/** A request with its money on hold, and its only owner: whatever happens, it ends in one charge or one release. */
export type RunningCompletion = Readonly<{
  requestId: string;
  userId: string;
  provider: string;
  modelId: string;
  startedAt: Date;
  upstreamId: () => string | null;
  /**
   * Waits until the provider has accepted, for `limitMs` at most when given. Throws the refusal when the provider fails
   * before that; everything is settled then.
   */
  accepted: (limitMs?: number) => Promise<void>;
  /** Hands the answer on until it ends. Resolves when the charge is durable; never rejects. */
  deliver: (sink: CompletionSink) => Promise<Ended>;
  /** Ends it from outside, at once. Resolves when it is settled. */
  stop: (by: 'client' | 'cancel' | 'shutdown') => Promise<Ended>;
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

/** Sends a request to its provider and owns it until it is settled. Its money must be on hold. */
export const runningCompletion = (
  deps: RunningDeps,
  plan: Plan,
  ledger: Ledger,
  gone: AbortSignal,
): RunningCompletion => {
  const { logger, clock } = deps;
  const { requestId, resolved, upstream, streamed } = plan;
  const startedAt = clock();
  const meter = usageMeter(resolved.model.price, plan.promptTokens, deps.counter);
  const cancelling = new AbortController();
  let held = plan.estimate + plan.margin;
  let stoppedBy: EndedBy | undefined;
  let isAccepted = false;
  let delivering = false;
  let failure: unknown;
  let ending = false;
  const settlement = Promise.withResolvers<Ended>();

  meter.budget((held * EXTEND_AT) / 100n);

  /** True when the answer is all there: whatever happens then changes nothing about it. */
  const isWhole = (): boolean => meter.finish() !== undefined && stoppedBy !== 'credit';

  const howItEnded = (): Ended['how'] => {
    if (isWhole() || stoppedBy === 'credit') return 'completed';
    if (stoppedBy === undefined) return failure === undefined ? 'completed' : 'failed';
    if (stoppedBy === 'client') return 'gone';
    return stoppedBy === 'cancel' ? 'cancelled' : 'failed';
  };

  const finishOf = (how: Ended['how']): FinishReason | null => {
    if (stoppedBy === 'credit') return 'length';
    return meter.finish() ?? (how === 'failed' ? 'error' : null);
  };

  /** What a failure of the provider's or of ours left behind is charged only when it reached the client. */
  const isConsumed = (how: Ended['how']): boolean =>
    isAccepted && (how !== 'failed' || (streamed && meter.hasOutput()));

  const charge = async (how: Ended['how']): Promise<Ended> => {
    await meter.count();
    const { metered, estimated } = meter.read();
    const endedBy = isWhole() ? 'provider' : (stoppedBy ?? 'provider');
    const finish = finishOf(how);
    const durationMs = Math.max(0, clock().getTime() - startedAt.getTime());
    const outcome = { metered, estimated, finish, endedBy, upstreamId: meter.upstreamId(), durationMs };
    const charged = await ledger.capture(outcome);
    return { how, endedBy, finish, usage: metered.usage, charged, estimated, failure };
  };

  const giveBack = async (how: Ended['how']): Promise<Ended> => {
    await ledger.release(stoppedBy === undefined ? 'provider_failed' : 'cancelled_before_start');
    const endedBy = stoppedBy ?? 'provider';
    return { how, endedBy, finish: null, usage: undefined, charged: 0n, estimated: false, failure };
  };

  /** Settles once, however often it is called. */
  const end = (): Promise<Ended> => {
    if (ending) return settlement.promise;
    ending = true;
    gone.removeEventListener('abort', onGone);
    const how = howItEnded();
    // An answer that has ended by itself needs no abort, and an abort that needs no stack is cheap.
    if (how !== 'completed' || stoppedBy !== undefined) cancelling.abort(ABORTED);
    (isConsumed(how) ? charge(how) : giveBack(how)).then(settlement.resolve, (error: unknown) => {
      // The account refused its own reservation: nothing more can be written, so a person has to look.
      logger.error({ requestId, err: error }, 'a request could not be settled');
      settlement.resolve({
        ...{ how, endedBy: stoppedBy ?? 'provider', finish: null, usage: undefined, charged: 0n },
        ...{ estimated: true, failure: failure ?? error },
      });
    });
    return settlement.promise;
  };

  const stop = (by: EndedBy): void => {
    if (ending || stoppedBy !== undefined) return;
    stoppedBy = by;
    cancelling.abort(ABORTED);
    if (!delivering) void end();
  };
  const onGone = (): void => stop('client');

  const connecting = upstream.stream(plan.request, { signal: cancelling.signal });
  connecting.then(
    () => {
      isAccepted = true;
    },
    (error: unknown) => {
      failure = error;
      if (!delivering) void end();
    },
  );
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

  const pump = async (sink: CompletionSink): Promise<void> => {
    for await (const batch of await connecting) {
      meter.take(batch);
      // What arrives after the end was asked for is charged for but not handed on.
      if (stoppedBy !== undefined) return;
      const drained = sink.take(batch);
      if (drained !== undefined) await drained;
      if (meter.mayExceed()) await keepHold();
    }
  };

  return {
    requestId,
    userId: plan.userId,
    provider: resolved.provider.code,
    modelId: resolved.model.id,
    startedAt,
    upstreamId: meter.upstreamId,
    settled: settlement.promise,
    accepted: async (limitMs) => {
      const late = Promise.withResolvers<'late'>();
      const timer = limitMs === undefined ? undefined : setTimeout(() => late.resolve('late'), limitMs);
      try {
        await Promise.race([connecting, late.promise]);
      } catch (error) {
        await end();
        throw stoppedBy === 'client' ? goneError() : stoppedBy === undefined ? refusalFor(error) : stopped(stoppedBy);
      } finally {
        clearTimeout(timer);
      }
    },
    deliver: async (sink) => {
      if (!ending) {
        delivering = true;
        await pump(sink).catch((error: unknown) => {
          failure ??= error;
        });
      }
      return end();
    },
    stop: (by) => {
      stop(by);
      return settlement.promise;
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

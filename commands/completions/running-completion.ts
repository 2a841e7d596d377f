import type { TokenCounter } from '../../src/kernel/tokens-estimate.ts';
import type { UpstreamEvent } from '../../src/kernel/upstream.ts';
import type { EndedBy } from '../../src/kernel/usage.ts';
import { attemptsOf } from './attempts.ts';
import { clientPace } from './client-pace.ts';
import { endingOf, type Ended, type Ending } from './ending.ts';
import { holdBudget } from './hold-budget.ts';
import type { Ledger, LedgerDeps } from './ledger.ts';
import type { Plan } from './plan.ts';
import { settling } from './settling.ts';
import { refusalOfStopped } from './stopped-refusal.ts';
import { refusalFor } from './upstream-refusal.ts';
import { usageMeter } from './usage-meter.ts';

/** Where the pieces of an answer go. A promise means: wait until I can take more. */
export type CompletionSink = Readonly<{ take: (batch: readonly UpstreamEvent[]) => Promise<void> | undefined }>;

export type { Ended };

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
    /** The id that `provider` gave the answer; null until it has, and when another one answers in its place. */
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

const ABORTED = 'the request has ended';
/** Who cancels hears so after this long, also while the provider is still asked what it has counted. */
const TELL_STOPPED_MS = 1_000;
/** The usage of a whole answer follows its end at once, or never. */
const LAST_WORD_MS = 2_000;

/** Sends a request to its provider and owns it until it is settled. Its money must be on hold. */
export const runningCompletion = (
  deps: RunningDeps,
  plan: Plan,
  ledger: Ledger,
  gone: AbortSignal,
): RunningCompletion => {
  const { requestId, work } = plan;
  const startedAt = deps.clock();
  const meter = usageMeter(plan.price, plan.promptTokens, deps.counter);
  const mayGoOn = holdBudget({ ...deps, plan, ledger, meter });
  /** Aborts when the answer is not wanted any more; `cancelling` when it is not read any more either. */
  const leaving = new AbortController();
  const cancelling = new AbortController();
  const attempts = attemptsOf(deps, plan, { signal: cancelling.signal, unwanted: leaving.signal });
  const settle = settling({ ...deps, plan, ledger, meter, attempts, startedAt });
  const pace = clientPace();
  const settlement = Promise.withResolvers<Ended>();
  /** Resolves when nobody waits for the answer any more. */
  const left = Promise.withResolvers<Ended>();
  const over = Promise.race([settlement.promise, left.promise]);
  let stoppedBy: EndedBy | undefined;
  /** True when the answer was all there before it was stopped, which changes nothing about it then. */
  let wasWhole = false;
  let isAccepted = false;
  let isPumping = false;
  let isEnding = false;
  let failure: unknown;
  let telling: NodeJS.Timeout | undefined;
  let cutting: NodeJS.Timeout | undefined;

  const isWhole = (): boolean => (stoppedBy === undefined ? meter.finish() !== undefined : wasWhole);

  const ending = (): Ending => {
    const facts = { stoppedBy, isWhole: isWhole(), isAccepted, failure };
    return endingOf({ ...facts, streamed: work.streamed, hasOutput: meter.hasOutput() });
  };

  /** Settles once, however often it is called. */
  const end = (): Promise<Ended> => {
    if (isEnding) return settlement.promise;
    isEnding = true;
    clearTimeout(cutting);
    gone.removeEventListener('abort', onGone);
    const how = ending();
    // An answer that has ended by itself needs no abort, and an abort that needs no stack is cheap.
    if (how.how !== 'completed' || how.isStopped) cancelling.abort(ABORTED);
    void settle(how).then((ended) => {
      clearTimeout(telling);
      settlement.resolve(ended);
    });
    return settlement.promise;
  };

  /** How long an answer that is stopped is still read. */
  const lingerMs = (by: EndedBy): number => {
    const { policy, limitSeconds } = attempts.current().disconnect;
    const nobodyWaits = by === 'client' || by === 'cancel';
    // Where stopping an answer would not stop the provider's meter.
    if (nobodyWaits && policy === 'drain') return limitSeconds * 1_000;
    return wasWhole ? LAST_WORD_MS : 0;
  };

  const cut = (): void => {
    cancelling.abort(ABORTED);
    if (!isPumping) void end();
  };

  const stop = (by: EndedBy): void => {
    if (by === 'shutdown') settle.hurry();
    if (isEnding) return;
    if (stoppedBy !== undefined) return by === 'shutdown' ? cut() : undefined;
    wasWhole = meter.finish() !== undefined;
    stoppedBy = by;
    leaving.abort(ABORTED);
    pace.giveUp();
    if (by === 'client' || by === 'cancel') {
      const { how } = ending();
      telling = setTimeout(() => left.resolve(settle.told(how, by)), TELL_STOPPED_MS);
    }
    const linger = lingerMs(by);
    if (linger === 0) return cut();
    cutting = setTimeout(cut, linger);
    if (!isPumping) void pump(undefined);
  };
  const onGone = (): void => stop('client');
  const watched = (connecting: ReturnType<typeof attempts.connect>): typeof connecting => {
    connecting.then(
      () => {
        // What is accepted after the end is nobody's.
        isAccepted ||= !isEnding;
      },
      (error: unknown) => {
        failure = error;
        if (!isPumping) void end();
      },
    );
    return connecting;
  };
  /** Reads one provider's answer to its end, or until nobody reads it any more. */
  const read = async (batches: AsyncIterable<readonly UpstreamEvent[]>, sink: CompletionSink | undefined) => {
    for await (const batch of batches) {
      meter.take(batch);
      // What arrives after the end was asked for is charged for but not handed on.
      if (cancelling.signal.aborted) return;
      if (stoppedBy !== undefined) continue;
      const drained = sink?.take(batch);
      if (drained !== undefined) await pace.keep(drained);
      // An answer that is all there is charged, not stopped.
      if (!isWhole() && meter.mayExceed() && !(await mayGoOn())) stop('credit');
    }
  };

  /** Hands on what the providers say; asks the next one when one breaks before it has said anything. */
  const pump = async (sink: CompletionSink | undefined): Promise<void> => {
    isPumping = true;
    for (;;) {
      try {
        await read(await connecting, sink);
        break;
      } catch (error) {
        failure = error;
        if (!isAccepted || stoppedBy !== undefined || isWhole()) break;
        if (meter.hasOutput()) {
          attempts.note(error);
          break;
        }
        isAccepted = false;
        failure = undefined;
        meter.restart();
        connecting = watched(attempts.next(error));
      }
    }
    await end();
  };

  // A client that has gone already is not asked for anything.
  if (gone.aborted) leaving.abort(ABORTED);
  let connecting = watched(attempts.connect());
  gone.addEventListener('abort', onGone, { once: true });
  if (gone.aborted) onGone();

  return {
    requestId,
    userId: plan.userId,
    provider: work.provider,
    modelId: plan.modelId,
    startedAt,
    upstreamId: () => (attempts.current().provider === work.provider ? meter.upstreamId() : null),
    settled: settlement.promise,
    isStopped: () => stoppedBy !== undefined,
    accepted: async (limitMs) => {
      const late = Promise.withResolvers<undefined>();
      const timer = limitMs === undefined ? undefined : setTimeout(() => late.resolve(undefined), limitMs);
      await Promise.race([connecting, late.promise, over]).catch(() => undefined);
      clearTimeout(timer);
      if (isAccepted) return;
      if (stoppedBy !== undefined) {
        await over;
        throw refusalOfStopped(stoppedBy);
      }
      if (failure !== undefined) {
        await end();
        throw refusalFor(failure);
      }
    },
    deliver: (sink) => {
      if (!isEnding && !isPumping) void pump(sink);
      return over;
    },
    stop: (by) => {
      stop(by);
      return over;
    },
    renew: async () => {
      await meter.count();
      if (!settle.isWriting()) await ledger.renew(isAccepted ? meter.read().metered : null);
    },
  };
};

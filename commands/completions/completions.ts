import { DomainError, isDomainError } from '../../src/kernel/errors.ts';
import type { Cause } from '../../src/kernel/message.ts';
import { turnsByKey } from '../../src/kernel/turns.ts';
import { admit, type AdmissionDeps } from './admission.ts';
import type { CompletionOrder } from './completion-order.ts';
import { ledgerFor, mustBeAffordable } from './ledger.ts';
import { paidWith } from './paying-key.ts';
import type { Job, PayingKey, Plan } from './plan.ts';
import { runningCompletion, type RunningCompletion, type RunningDeps } from './running-completion.ts';
import { seats } from './seats.ts';

export type CompletionDeps = AdmissionDeps &
  RunningDeps &
  Readonly<{
    /** Random UUIDs for the requests. */
    newId: () => string;
  }>;

/** The streaming LLM command and the requests of this process that it owns. */
export type Completions = Readonly<{
  /** A conversation as a job. Nothing is checked yet. */
  jobFor: (order: CompletionOrder) => Job;
  /** A conversation; see `run`. */
  open: (order: CompletionOrder, cause: Cause, gone: AbortSignal) => Promise<RunningCompletion>;
  /**
   * Checks the job, puts its money on hold and sends it to its provider. Resolves when the provider has accepted it, a
   * streamed one also when that takes long. Throws a DomainError when it is refused or fails before that; nothing is
   * charged then.
   */
  run: (job: Job, cause: Cause, gone: AbortSignal) => Promise<RunningCompletion>;
  /** Throws what holding the money of a plan would throw now; nothing is held or written. */
  affords: (plan: Plan, apiKey: PayingKey | undefined) => Promise<void>;
  /** The request, while it runs in this process. */
  find: (requestId: string) => RunningCompletion | undefined;
  active: () => number;
  /**
   * Accepts nothing new, lets running requests end for `graceMs`, then ends them. Resolves when all are settled, or
   * after another `limitMs` when the event store does not answer; what is left then is settled by its lease.
   */
  shutdown: (limits: Readonly<{ graceMs: number; limitMs: number }>) => Promise<void>;
}>;

/**
 * So many of a user's requests are on their way to their hold at once. The others see what these have left: a flood that
 * there is no money for is refused without a word to the event store, which everybody else needs.
 */
const AT_ONCE = 32;

/** Makes the command. One a process. */
export const completions = (deps: CompletionDeps): Completions => {
  const { policy, logger, clock } = deps;
  const running = new Map<string, RunningCompletion>();
  const renewedAt = new Map<string, number>();
  const seating = seats(policy);
  const inTurn = turnsByKey(AT_ONCE);
  /** Requests that are on their way to being owned. */
  const opening = new Set<Promise<unknown>>();
  let closing = false;
  let stopping = false;

  const renewWhenDue = (request: RunningCompletion, now: number): void => {
    const last = renewedAt.get(request.requestId);
    const wait = last === undefined ? policy.firstRenewSeconds : policy.renewEverySeconds;
    if (now - (last ?? request.startedAt.getTime()) < wait * 1_000) return;
    renewedAt.set(request.requestId, now);
    request.renew().catch((error: unknown) => {
      logger.warn({ requestId: request.requestId, err: error }, 'a hold was not renewed');
    });
  };
  const ticker = setInterval(
    () => {
      const now = clock().getTime();
      for (const request of running.values()) renewWhenDue(request, now);
    },
    Math.min(500, policy.renewEverySeconds * 500),
  );
  ticker.unref();

  const own = (request: RunningCompletion, leave: () => void): void => {
    const { requestId } = request;
    running.set(requestId, request);
    void request.settled.then(() => {
      running.delete(requestId);
      renewedAt.delete(requestId);
      leave();
    });
  };

  /** Plans the job and puts its money on hold. */
  const hold = async (job: Job, cause: Cause) => {
    const plan = paidWith(await job.plan(deps.newId()), job.apiKey);
    const ledger = ledgerFor(deps, plan, cause);
    try {
      await ledger.reserve();
    } catch (error) {
      // It is unknown whether the hold was written: it must not outlive the request.
      if (!isDomainError(error)) {
        ledger.release('rejected').catch((late: unknown) => {
          logger.warn({ requestId: plan.requestId, err: late }, 'a hold that may exist was not released');
        });
      }
      throw error;
    }
    return { plan, ledger };
  };

  const start = async (job: Job, cause: Cause, gone: AbortSignal, leave: () => void) => {
    const { plan, ledger } = await inTurn(job.userId, () => hold(job, cause));
    const request = runningCompletion(deps, plan, ledger, gone);
    own(request, leave);
    job.keepUntil?.(request.settled);
    // Its hold was on its way when all the others were told to stop.
    if (stopping) void request.stop('shutdown');
    return request;
  };

  const run = async (job: Job, cause: Cause, gone: AbortSignal): Promise<RunningCompletion> => {
    if (closing) {
      throw new DomainError('service_unavailable', 'the server is going down; try again', { retryAfterSeconds: 2 });
    }
    const leave = seating.take(job.userId);
    const starting = start(job, cause, gone, leave);
    const isOwned = starting.catch(leave).finally(() => opening.delete(isOwned));
    opening.add(isOwned);
    const request = await starting;
    await request.accepted(job.streamed ? policy.headWaitMs : undefined);
    return request;
  };

  const allSettled = async (): Promise<void> => {
    while (opening.size + running.size > 0) {
      await Promise.all([...opening, ...[...running.values()].map(({ settled }) => settled)]);
    }
  };

  const settledWithin = async (milliseconds: number): Promise<void> => {
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), milliseconds);
    await Promise.race([allSettled(), late.promise]);
    clearTimeout(timer);
  };

  const jobFor = (order: CompletionOrder): Job => {
    const { userId, streamed, apiKey, keepUntil, resumable = false } = order;
    const payer = apiKey === undefined ? { userId } : { userId, apiKey };
    const kept = keepUntil === undefined ? {} : { keepUntil };
    return { ...payer, ...kept, streamed, resumable, plan: (requestId) => admit(deps, order, requestId) };
  };

  return {
    jobFor,
    open: (order, cause, gone) => run(jobFor(order), cause, gone),
    run,
    affords: (plan, apiKey) => mustBeAffordable(deps, paidWith(plan, apiKey)),
    find: (requestId) => running.get(requestId),
    active: () => running.size,
    shutdown: async ({ graceMs, limitMs }) => {
      closing = true;
      await settledWithin(graceMs);
      stopping = true;
      for (const request of running.values()) void request.stop('shutdown');
      await settledWithin(limitMs);
      clearInterval(ticker);
      if (running.size > 0) logger.error({ requests: running.size }, 'requests are left to their leases');
    },
  };
};

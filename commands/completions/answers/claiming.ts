import type { CompletionEnded, CompletionEvent } from '../../../src/events/completion/completion.events.ts';
import { isoOf, type Clock } from '../../../src/kernel/clock.ts';
import type { CommandHandler } from '../../../src/kernel/command-handler.ts';
import { contentDigest } from '../../../src/kernel/digest.ts';
import type { Logger } from '../../../src/kernel/logger.ts';
import type { Cause } from '../../../src/kernel/message.ts';
import { microText } from '../../../src/kernel/money.ts';
import { UpstreamError } from '../../../src/kernel/upstream.ts';
import type { ClaimCommand } from '../claims/claims.commands.ts';
import { mustBeSameWork } from '../claims/claims.decider.ts';
import type { Claim } from '../claims/claims.state.ts';
import { claimIdOf } from '../claims/request-of-key.ts';
import type { Completions } from '../completions.ts';
import type { Attempt, Job, Plan } from '../plan.ts';
import type { Ended } from '../running-completion.ts';
import { untilAnswered } from '../until-answered.ts';
import { costNothing } from './ended-text.ts';
import { claimedInTime } from './fate.ts';

export type ClaimingDeps = Readonly<{
  claims: CommandHandler<Claim, ClaimCommand, CompletionEvent>;
  completions: Pick<Completions, 'affords'>;
  /** A secret of the server, so that nobody else can tell from a digest what was asked for. */
  digestKey: string;
  clock: Clock;
  logger: Logger;
  pause: (milliseconds: number) => Promise<void>;
}>;

/** Somebody else has taken the key in the meantime. */
class LostClaimError extends Error {
  readonly tag = 'LostClaimError';
  constructor() {
    super('another request has taken the key');
    this.name = 'LostClaimError';
  }
}

/** True for a LostClaimError. */
export const isLostClaim = (error: unknown): boolean => error instanceof LostClaimError;

type Keyed = Job & Required<Pick<Job, 'key'>>;
type Over = Pick<CompletionEnded['data'], 'how' | 'finish' | 'charged'>;

/** The request that took a key, and when, as everybody else reads it. */
export type Taken = Readonly<{ requestId: string; at: Date }>;

/** One key of one user. */
export type Claiming = Readonly<{
  userId: string;
  claimId: string;
  bodyDigest: string;
  /** What the key stands for now. Throws DomainError `already_exists` when that is other work. */
  look: () => Promise<Claim>;
  /** The job that first takes the key for this attempt. Its plan throws LostClaimError when somebody was faster. */
  taking: (attempt: number, cause: Cause) => Readonly<{ job: Job; taken: () => Taken | undefined }>;
  /** Notes how an attempt ended, however long that takes; never rejects. */
  end: (attempt: Readonly<{ requestId: string; attempt: number }>, over: Over, cause: Cause) => Promise<void>;
}>;

/** How an end is noted on the claim. */
export const overOf = (ended: Ended): Over => ({
  how: ended.how,
  finish: ended.finish,
  charged: costNothing(ended) ? null : microText(ended.charged),
});

/**
 * The plan with a check before the first provider is asked: an owner that slept between its key and its hold may be taken
 * for dead, and its work begun by somebody else.
 */
const fenced = (plan: Plan, isInTime: () => boolean): Plan => {
  let held = false;
  const guarded = (attempt: Attempt): Attempt => ({
    ...attempt,
    call: (options) => {
      held ||= isInTime();
      if (held) return attempt.call(options);
      return Promise.reject(new UpstreamError({ provider: attempt.provider, kind: 'timeout', neverReached: true }));
    },
  });
  const [first, ...others] = plan.attempts;
  return { ...plan, attempts: [guarded(first), ...others.map(guarded)] };
};

/** The claim of a job's key. */
export const claiming = (deps: ClaimingDeps, job: Keyed): Claiming => {
  const { claims, clock } = deps;
  const { userId, apiKey, key, streamed } = job;
  const claimId = claimIdOf(userId, key.value);
  const bodyDigest = contentDigest([deps.digestKey, userId, key.digest]);

  const take = async (plan: Plan, attempt: number, at: Date, cause: Cause): Promise<void> => {
    const { requestId, modelId } = plan;
    const data = { requestId, userId, attempt, bodyDigest, modelId, streamed, at: isoOf(at) };
    const { events } = await claims.handle(
      claimId,
      { type: 'StartCompletion', key: `start:${requestId}`, data },
      cause,
    );
    if (events.length === 0) throw new LostClaimError();
  };

  return {
    userId,
    claimId,
    bodyDigest,
    look: async () => {
      const claim = await claims.state(claimId);
      mustBeSameWork(claim, bodyDigest);
      return claim;
    },
    taking: (attempt, cause) => {
      let taken: Taken | undefined;
      const plan: Job['plan'] = async (requestId) => {
        const planned = await job.plan(requestId);
        // What there is no money for takes no key, which would be two appends for nothing.
        await deps.completions.affords(planned, apiKey);
        const at = clock();
        taken = { requestId, at };
        await take(planned, attempt, at, cause);
        return fenced(planned, () => claimedInTime(at, clock()));
      };
      return { job: { ...job, plan }, taken: () => taken };
    },
    end: async ({ requestId, attempt }, over, cause) => {
      const data = { requestId, attempt, ...over, at: isoOf(clock()) };
      const command: ClaimCommand = { type: 'EndCompletion', key: `end:${requestId}`, data };
      try {
        await untilAnswered(deps, { requestId }, () => claims.handle(claimId, command, cause));
      } catch (error) {
        deps.logger.warn({ err: error, requestId }, 'the end of a request was not noted; its account tells it');
      }
    },
  };
};

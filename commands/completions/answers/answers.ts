import type { AnswerLog } from '../../../src/kernel/answer-log.ts';
import { contentDigest } from '../../../src/kernel/digest.ts';
import { DomainError } from '../../../src/kernel/errors.ts';
import { microText } from '../../../src/kernel/money.ts';
import type { Cause } from '../../../src/kernel/message.ts';
import { turnsByKey } from '../../../src/kernel/turns.ts';
import type { Completions } from '../completions.ts';
import type { Job } from '../plan.ts';
import type { Answer, Answers } from './answer.ts';
import { nextAttempt } from '../claims/claims.decider.ts';
import type { Ended } from '../running-completion.ts';
import { claiming, isLostClaim, overOf, type Claiming, type ClaimingDeps } from './claiming.ts';
import type { Keeper } from './keeper.ts';
import { answerFrom, isFreed, type Live } from './live.ts';
import { mirror, type Elsewhere, type Found, type MirrorDeps } from './mirror.ts';
import { own } from './own.ts';
import { presence, type Presence } from './presence.ts';
import { within } from './within.ts';
import { overLive, replay, wholeAnswer } from './replay.ts';

export type AnswersDeps = MirrorDeps &
  ClaimingDeps &
  Readonly<{
    completions: Pick<Completions, 'run' | 'jobFor' | 'affords'>;
    log: AnswerLog;
    keeper: Keeper;
    /** How long recorded work goes on when nobody reads it any more. */
    lingerMs: number;
  }>;

/** Those who wait for a key's answer, and the signal that nobody does any more. */
type Waiting = Readonly<{ readers: Presence; nobody: AbortSignal }>;

/** What a key has begun in this process, and who waits for it. */
type Begun = Readonly<{ bodyDigest: string; live: Promise<Live>; readers: Presence }>;

type Keyed = Job & Required<Pick<Job, 'key'>>;

/** A rival, or an attempt that came to nothing, makes us look again; not for ever. */
const ROUNDS = 5;
const ROUND_PAUSE_MS = 50;
/** What has just begun elsewhere may be a moment away from being recorded. */
const LOOKS = 3;
const LOOK_PAUSE_MS = 100;

const otherWork = (): DomainError =>
  new DomainError('already_exists', 'this idempotency key is in use for another request; choose a new key');

const unlucky = (): DomainError =>
  new DomainError('service_unavailable', 'the request with this key keeps failing; try again', {
    retryAfterSeconds: 2,
  });

const notRecorded = (): DomainError =>
  new DomainError('not_found', 'no such request is recorded; answers are kept for a limited time');

const mustBeOwn = (owner: string, userId: string): void => {
  if (owner !== userId) throw new DomainError('forbidden', 'this request belongs to somebody else');
};

/** So many of a user's keys are looked up at once: the event store is there for the others too. */
const LOOKED_UP_AT_ONCE = 32;

const isKeyed = (job: Job): job is Keyed => job.key !== undefined;

/** Makes the command over `completions`. One a process. */
export const answers = (deps: AnswersDeps): Answers => {
  const { completions, keeper, log } = deps;
  /** Recordings of this process and mirrors of others', by request. */
  const lives = new Map<string, Live>();
  const begun = new Map<string, Begun>();
  const inTurn = turnsByKey(LOOKED_UP_AT_ONCE);
  const stopping = new AbortController();

  const remember = (live: Live): Live => {
    const { requestId } = live;
    lives.set(requestId, live);
    const forget = (): void => {
      if (lives.get(requestId) === live) lives.delete(requestId);
    };
    live.over.then(forget, forget);
    return live;
  };

  const mirrored = (about: Elsewhere, found: Found): Live =>
    lives.get(about.requestId) ?? remember(mirror(deps, about, found, stopping.signal));

  /** Takes the key for an attempt and makes the answer here. Throws LostClaimError when somebody was faster. */
  const make = async (claim: Claiming, attempt: number, cause: Cause, waiting: Waiting): Promise<Live> => {
    const { job, taken } = claim.taking(attempt, cause);
    try {
      const running = await completions.run(job, cause, waiting.nobody);
      // The claim tells the other instances when it began.
      const startedAt = taken()?.at ?? running.startedAt;
      const note = (ended: Ended): Promise<void> =>
        claim.end({ requestId: running.requestId, attempt }, overOf(ended), cause);
      return remember(own(keeper, { ...running, startedAt }, waiting.readers, note));
    } catch (error) {
      const requestId = taken()?.requestId;
      if (requestId !== undefined && !isLostClaim(error)) {
        await claim.end({ requestId, attempt }, { how: 'refused', finish: null, charged: null }, cause);
      }
      throw error;
    }
  };

  /** What the key stands for, one way or another. */
  const attempt = async (claim: Claiming, cause: Cause, waiting: Waiting): Promise<Live> => {
    const known = await inTurn(claim.userId, claim.look);
    if (known.status === 'final') return replay(log, known.ended);
    if (known.status !== 'running') return make(claim, nextAttempt(known) ?? 1, cause, waiting);
    const { started } = known;
    const about = { ...started, startedAt: started.at };
    return mirrored(about, async (fate) => {
      const charged = fate.kind === 'charged' ? microText(fate.charged) : null;
      await claim.end(started, { how: 'abandoned', finish: null, charged }, cause);
    });
  };

  const settle = async (claim: Claiming, cause: Cause, waiting: Waiting): Promise<Live> => {
    for (let round = 0; round < ROUNDS; round += 1) {
      try {
        const live = await attempt(claim, cause, waiting);
        const leave = live.presence.enter(waiting.nobody);
        await live.opened.finally(leave);
        return live;
      } catch (error) {
        if (!isLostClaim(error) && !isFreed(error)) throw error;
        await deps.pause(ROUND_PAUSE_MS);
      }
    }
    throw unlucky();
  };

  const begin = (claim: Claiming, cause: Cause): Begun => {
    const { claimId, bodyDigest } = claim;
    const nobody = new AbortController();
    const readers = presence(deps.lingerMs, () => nobody.abort());
    const live = settle(claim, cause, { readers, nobody: nobody.signal });
    const entry = { bodyDigest, live, readers };
    begun.set(claimId, entry);
    const forget = (): void => {
      if (begun.get(claimId) === entry) begun.delete(claimId);
    };
    live.then(({ over }) => over.then(forget, forget), forget);
    return entry;
  };

  const keyed = async (job: Keyed, cause: Cause, gone: AbortSignal): Promise<Answer> => {
    const claim = claiming(deps, job);
    const joined = begun.get(claim.claimId);
    if (joined !== undefined && joined.bodyDigest !== claim.bodyDigest) throw otherWork();
    const { live: opening, readers } = joined ?? begin(claim, cause);
    const leave = readers.enter(gone);
    try {
      const live = await opening;
      const isOwn = live.presence === readers;
      const leaveMirror = isOwn ? undefined : live.presence.enter(gone);
      const leaveAll = (): void => {
        leave();
        leaveMirror?.();
      };
      return answerFrom(live, { gone, replayed: joined !== undefined || !isOwn, leave: leaveAll });
    } catch (error) {
      leave();
      throw error;
    }
  };

  const unkeyed = async (job: Job, cause: Cause, gone: AbortSignal): Promise<Answer> => {
    const nobody = new AbortController();
    const readers = presence(deps.lingerMs, () => nobody.abort());
    const leave = readers.enter(gone);
    try {
      const running = await completions.run(job, cause, nobody.signal);
      return answerFrom(remember(own(keeper, running, readers)), { gone, replayed: false, leave });
    } catch (error) {
      readers.close();
      throw error;
    }
  };

  const through = async (job: Job, cause: Cause, gone: AbortSignal): Promise<Answer> => {
    const { requestId, modelId, startedAt, deliver } = await completions.run(job, cause, gone);
    return { requestId, modelId, startedAt, deliver, replayed: false };
  };

  const run: Answers['run'] = (job, cause, gone) => {
    if (isKeyed(job)) return keyed(job, cause, gone);
    return job.resumable === true ? unkeyed(job, cause, gone) : through(job, cause, gone);
  };

  const open: Answers['open'] = (order, cause, gone) => {
    const { key, modelId, taskType, task } = order;
    const job = completions.jobFor(order);
    if (key === undefined) return run(job, cause, gone);
    return run({ ...job, key: { value: key, digest: contentDigest({ modelId, taskType, task }) } }, cause, gone);
  };

  const recorded = async (requestId: string, userId: string): Promise<Live> => {
    for (let look = 0; look < LOOKS; look += 1) {
      const page = await log.read(requestId, 0);
      // Before any more of it is read or followed on somebody else's behalf.
      if (page !== undefined) mustBeOwn(page.head.userId, userId);
      if (page?.over === undefined && page !== undefined) {
        return mirrored({ ...page.head, streamed: true }, () => Promise.resolve());
      }
      const found = page === undefined ? undefined : await wholeAnswer(log, requestId);
      if (found !== undefined) return overLive(requestId, found);
      await deps.pause(LOOK_PAUSE_MS);
    }
    throw notRecorded();
  };

  const follow: Answers['follow'] = async (requestId, userId, gone) => {
    const live = lives.get(requestId) ?? (await recorded(requestId, userId));
    mustBeOwn(live.userId, userId);
    return answerFrom(live, { gone, replayed: true, leave: live.presence.enter(gone) });
  };

  const close: Answers['close'] = async (limitMs) => {
    stopping.abort();
    await within(Promise.all([...lives.values()].map(({ over }) => over)), limitMs);
    keeper.close();
  };

  return { open, run, follow, release: () => stopping.abort(), close };
};

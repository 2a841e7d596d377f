import type { AnswerLog, AnswerPage } from '../../../src/kernel/answer-log.ts';
import type { Logger } from '../../../src/kernel/logger.ts';
import { DomainError } from '../../../src/kernel/errors.ts';
import { refusalFor } from '../upstream-refusal.ts';
import { brokenOff, costNothing, readEnd, retold } from './ended-text.ts';
import type { Usage } from '../../../src/kernel/usage.ts';
import { fateOf, type Fate, type FateDeps, type Silent } from './fate.ts';
import { FreedError, type Live } from './live.ts';
import { presence } from './presence.ts';
import { recording } from './recording.ts';

export type MirrorDeps = FateDeps &
  Readonly<{
    log: AnswerLog;
    logger: Logger;
    pause: (milliseconds: number) => Promise<void>;
    /** How long a caller waits for the first news before its answer is opened. */
    headWaitMs: number;
  }>;

/** What is known of an answer that another process makes. */
export type Elsewhere = Silent & Readonly<{ modelId: string; streamed: boolean }>;

/** Notes what became of work whose owner had died: called by whoever finds out, before anybody is told. */
export type Found = (fate: Exclude<Fate, { kind: 'open' }>) => Promise<void>;

const EVERY_MS = 150;
const FOLLOW_EVERY_MS = 3_000;
const FOLLOWED_SECONDS = 10;
/** An owner says something every second; one that has been silent for this long may be dead. */
const SILENT_MS = 5_000;
const ASK_EVERY_MS = 2_000;
/** A mirror that nobody looks into is put away. */
const LINGER_MS = 5_000;

/** Nobody reads on here, or not for long. */
const goingDown = (): DomainError =>
  new DomainError('service_unavailable', 'the server is going down; send the request again', { retryAfterSeconds: 2 });

const unreadable = (): DomainError =>
  new DomainError('service_unavailable', 'the recorded answer cannot be read at the moment; send the request again', {
    retryAfterSeconds: 5,
  });

const now = (): number => performance.now();

/** Reads an answer that another process makes, for all callers of this one, until it ends one way or another. */
export const mirror = (deps: MirrorDeps, about: Elsewhere, found: Found, stopping: AbortSignal): Live => {
  const { log, logger, pause } = deps;
  const { requestId } = about;
  // Its owner has measured it.
  const kept = recording(Number.POSITIVE_INFINITY);
  const opened = Promise.withResolvers<undefined>();
  const over = Promise.withResolvers<undefined>();
  let abandoned = false;
  const readers = presence(LINGER_MS, () => {
    abandoned = true;
    over.resolve(undefined);
  });
  /** False while the log does not answer. */
  let readable = true;
  let followedAt = Number.NEGATIVE_INFINITY;
  let askedAt = now();
  /** What the account said last time: a charge or a release is believed when the log had time to tell more. */
  let fate: Fate = { kind: 'open' };

  const fail = (failure: unknown, charged = 0n, usage?: Usage): void => {
    const broken = { how: 'failed', endedBy: 'sweeper', finish: null, fallbackAttempted: false } as const;
    kept.finish({ ...broken, usage, charged, estimated: usage !== undefined, failure });
    opened.resolve(undefined);
  };

  const takePage = (page: AnswerPage | undefined): void => {
    if (page === undefined) return;
    kept.add(page.events);
    if (page.over === undefined) {
      opened.resolve(undefined);
      return;
    }
    const ended = retold(requestId, readEnd(page.over));
    if (costNothing(ended) && kept.position() === 0) opened.reject(refusalFor(ended.failure ?? new FreedError()));
    kept.finish(ended);
    opened.resolve(undefined);
  };

  const readLog = async (): Promise<AnswerPage | undefined> => {
    try {
      if (now() - followedAt > FOLLOW_EVERY_MS && !readers.isEmpty()) {
        followedAt = now();
        await log.follow(requestId, FOLLOWED_SECONDS);
      }
      const page = await log.read(requestId, kept.position());
      readable = true;
      return page;
    } catch (error) {
      readable = false;
      logger.warn({ err: error, requestId }, 'a recorded answer could not be read; trying again');
      return undefined;
    }
  };

  const conclude = async (certain: Exclude<Fate, { kind: 'open' }>): Promise<void> => {
    if (certain.kind === 'charged' && !readable) {
      opened.reject(unreadable());
      return fail(unreadable());
    }
    await found(certain);
    if (certain.kind === 'charged') {
      return fail(brokenOff(requestId, certain.charged), certain.charged, certain.usage);
    }
    opened.reject(new FreedError());
    fail(brokenOff(requestId));
  };

  /** Asks the account in the owner's stead, twice before it is believed. */
  const askAccount = async (): Promise<void> => {
    if (now() - askedAt < ASK_EVERY_MS) return;
    askedAt = now();
    const before = fate;
    fate = await fateOf(deps, about);
    if (fate.kind !== 'open' && fate.kind === before.kind) await conclude(fate);
  };

  const step = async (): Promise<void> => {
    const page = await readLog();
    takePage(page);
    if (kept.ended() !== undefined || (page !== undefined && page.silentMs < SILENT_MS)) return;
    await askAccount();
  };

  const run = async (): Promise<void> => {
    while (kept.ended() === undefined && !abandoned && !stopping.aborted) {
      await step().catch((error: unknown) => {
        logger.warn({ err: error, requestId }, 'a request that runs elsewhere could not be followed; trying again');
      });
      if (kept.ended() === undefined) await pause(EVERY_MS);
    }
    readers.close();
    over.resolve(undefined);
    if (kept.ended() === undefined) opened.reject(goingDown());
    fail(goingDown());
  };

  opened.promise.catch(() => undefined);
  if (about.streamed) setTimeout(() => opened.resolve(undefined), deps.headWaitMs).unref();
  readers.touch();
  void run();
  const { userId, modelId, startedAt } = about;
  const view = { requestId, userId, modelId, startedAt: new Date(startedAt) };
  return { ...view, recording: kept, presence: readers, opened: opened.promise, over: over.promise };
};

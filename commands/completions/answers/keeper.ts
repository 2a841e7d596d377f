import type { AnswerHead, AnswerLog, AnswerNews } from '../../../src/kernel/answer-log.ts';
import type { Logger } from '../../../src/kernel/logger.ts';
import type { Recording } from './recording.ts';

export type KeeperDeps = Readonly<{
  log: Pick<AnswerLog, 'write'>;
  logger: Logger;
  /** What ended answers may take of the memory while they cannot be written. */
  mostWaitingBytes?: number;
}>;

/** Writes the recordings of this process to the log, all together. */
export type Keeper = Readonly<{
  /** Begins to keep a recording. `isRead` is called when somebody on another instance reads it. */
  keep: (head: AnswerHead, recording: Recording, isRead: () => void) => void;
  /** Keeps how it ended. Resolves when that is durable, or given up: after minutes, or when too much waits to be kept. */
  end: (requestId: string, over: unknown) => Promise<void>;
  /** False while the log does not answer: nobody is to wait for it. */
  isHealthy: () => boolean;
  /** Ends what cannot be told: nothing more is kept. */
  drop: (requestId: string) => void;
  /** Keeps nothing more. */
  close: () => void;
}>;

type Kept = {
  readonly head: AnswerHead;
  readonly recording: Recording;
  readonly isRead: () => void;
  readonly done: PromiseWithResolvers<undefined>;
  written: number;
  writtenAt: number;
  over: unknown;
  overAt: number;
};

const EVERY_MS = 150;
/** A sign of life comes at least as often. */
const BEAT_MS = 1_000;
const LONGEST_PAUSE_MS = 5_000;
/** Failures in a row after which answers are written one by one. */
const SUSPICIOUS = 4;
/** How many are tried then before the log is believed to be away. */
const TRIED = 3;
/** An end that cannot be written for so long is given up; whoever asks for the answer is told that it is not kept. */
const GIVE_UP_MS = 5 * 60_000;
const MOST_WAITING_BYTES = 64 * 1024 * 1024;

const now = (): number => performance.now();

/** The ended answers that are not written yet, in the order of their ends, and what they take of the memory. */
const waitingRoom = (mostBytes: number) => {
  const sizes = new Map<Kept, number>();
  let bytes = 0;
  const leave = (kept: Kept): void => {
    bytes -= sizes.get(kept) ?? 0;
    sizes.delete(kept);
  };
  /** Answers those that have to go for it. */
  const enter = (kept: Kept): readonly Kept[] => {
    leave(kept);
    const size = kept.recording.bytes();
    sizes.set(kept, size);
    bytes += size;
    const tooMany: Kept[] = [];
    let over = bytes - mostBytes;
    for (const [oldest, freed] of sizes) {
      if (over <= 0) break;
      tooMany.push(oldest);
      over -= freed;
    }
    return tooMany;
  };
  return { enter, leave };
};

/** Starts nothing until there is something to keep. A log that is away delays nobody. */
export const answerKeeper = ({ log, logger, mostWaitingBytes = MOST_WAITING_BYTES }: KeeperDeps): Keeper => {
  const all = new Map<string, Kept>();
  const waiting = waitingRoom(mostWaitingBytes);
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let failures = 0;
  /** Said once, until the log takes news again. */
  let isGivingUp = false;

  const isDue = ({ recording, written, writtenAt, over }: Kept): boolean =>
    over !== undefined || recording.position() > written || now() - writtenAt >= BEAT_MS;

  const newsOf = ({ head, recording, written, over }: Kept): AnswerNews => ({
    head,
    from: written,
    events: recording.since(written),
    over,
  });

  const settle = (kept: Kept): void => {
    all.delete(kept.head.requestId);
    waiting.leave(kept);
    kept.done.resolve(undefined);
  };

  const giveUp = (tooMany: readonly Kept[]): void => {
    if (!isGivingUp) logger.warn({}, 'more answers wait to be kept than fit into memory; the oldest are given up');
    isGivingUp = true;
    for (const kept of tooMany) settle(kept);
  };

  const written = (due: readonly Kept[], news: readonly AnswerNews[], read: ReadonlySet<string>): void => {
    due.forEach((kept, index) => {
      const { from = 0, events = [], over } = news[index] ?? {};
      kept.written = from + events.length;
      kept.writtenAt = now();
      if (read.has(kept.head.requestId)) kept.isRead();
      if (over !== undefined) settle(kept);
    });
  };

  const writeTogether = async (due: readonly Kept[]): Promise<boolean> => {
    const news = due.map(newsOf);
    try {
      written(due, news, await log.write(news));
      return true;
    } catch (error) {
      logger.warn({ err: error, answers: due.length }, 'answers were not kept; trying again');
      for (const kept of due) if (kept.over !== undefined && now() - kept.overAt > GIVE_UP_MS) settle(kept);
      return false;
    }
  };

  const write = async (): Promise<void> => {
    const due = [...all.values()].filter(isDue);
    if (due.length === 0) return;
    // When it goes wrong again and again, one of them may be to blame.
    const groups = failures < SUSPICIOUS ? [due] : due.map((kept) => [kept]);
    let succeeded = false;
    for (const group of groups) {
      const isKept = await writeTogether(group);
      succeeded ||= isKept;
      // A log that is away is not asked for each of them.
      if (!isKept && !succeeded && group === groups[TRIED - 1]) break;
    }
    failures = succeeded ? 0 : failures + 1;
    if (succeeded) isGivingUp = false;
  };

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    writing ??= write().finally(() => {
      writing = undefined;
      plan();
    });
    return writing;
  };

  const plan = (): void => {
    clearTimeout(timer);
    if (all.size === 0) return;
    timer = setTimeout(
      () => void flush(),
      failures === 0 ? EVERY_MS : Math.min(LONGEST_PAUSE_MS, EVERY_MS * 2 ** failures),
    );
    timer.unref();
  };

  return {
    keep: (head, recording, isRead) => {
      const done = Promise.withResolvers<undefined>();
      const times = { written: 0, writtenAt: Number.NEGATIVE_INFINITY, over: undefined, overAt: 0 };
      all.set(head.requestId, { head, recording, isRead, done, ...times });
      // Who asks elsewhere is to find that there is something.
      void flush();
    },
    end: async (requestId, over) => {
      const kept = all.get(requestId);
      if (kept === undefined) return;
      kept.over = over;
      kept.overAt = now();
      const tooMany = waiting.enter(kept);
      if (tooMany.length > 0) giveUp(tooMany);
      if (failures === 0) {
        // One that is under way may have begun before the end was known.
        await writing;
        void flush();
      }
      await kept.done.promise;
    },
    isHealthy: () => failures === 0,
    drop: (requestId) => {
      const kept = all.get(requestId);
      if (kept !== undefined) settle(kept);
    },
    close: () => {
      clearTimeout(timer);
      for (const kept of all.values()) settle(kept);
    },
  };
};

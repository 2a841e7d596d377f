import type { Clock } from '../kernel/clock.ts';
import type { Logger } from '../kernel/logger.ts';

/** Work for a user: answers whether it is over, or something is under way that only time brings to its end. */
type Work = (userId: string) => Promise<'over' | 'under_way'>;

type Options = Readonly<{
  work: Work;
  clock: Clock;
  logger: Logger;
  /** The rest after work that is not over, in milliseconds; it doubles each time. */
  firstRestMs: number;
  longestRestMs: number;
}>;

/** Work for users that nobody waits for, never twice at a time here. */
export type PatientWork = Readonly<{
  /** Begins it, unless it rests. */
  look: (userId: string) => void;
  /** Begins it at once: something has changed. */
  begin: (userId: string) => void;
  /** Resolves when nothing is being done. */
  idle: () => Promise<void>;
}>;

type Rest = Readonly<{ until: number; lengthMs: number }>;

const MOST_RESTS = 10_000;

/** Rests longer and longer between looks at what does not come to its end: a bank takes days, and a provider may be away. */
export const patientWork = ({ work, clock, logger, firstRestMs, longestRestMs }: Options): PatientWork => {
  const running = new Map<string, Promise<void>>();
  const rests = new Map<string, Rest>();

  const rest = (userId: string): void => {
    const before = rests.get(userId);
    const lengthMs = Math.min(longestRestMs, before === undefined ? firstRestMs : 2 * before.lengthMs);
    rests.delete(userId);
    rests.set(userId, { until: clock().getTime() + lengthMs, lengthMs });
    const [oldest] = rests.keys();
    if (rests.size > MOST_RESTS && oldest !== undefined) rests.delete(oldest);
  };

  const done = async (userId: string): Promise<void> => {
    try {
      if ((await work(userId)) === 'over') rests.delete(userId);
      else rest(userId);
    } catch (error) {
      rest(userId);
      logger.warn({ err: error, userId }, 'work for a user is gone on with later');
    }
  };

  const begin = (userId: string): void => {
    if (running.has(userId)) return;
    running.set(
      userId,
      done(userId).finally(() => running.delete(userId)),
    );
  };

  return {
    begin,
    look: (userId) => {
      const until = rests.get(userId)?.until;
      if (until === undefined || until <= clock().getTime()) begin(userId);
    },
    idle: async () => {
      await Promise.all(running.values());
    },
  };
};

import { isDomainError } from '../../src/kernel/errors.ts';
import type { Logger } from '../../src/kernel/logger.ts';

export type PatienceDeps = Readonly<{ logger: Logger; pause: (milliseconds: number) => Promise<void> }>;

const LONGEST_PAUSE_MS = 2_000;

/**
 * Repeats a command until the event store has answered it: what an answer cost must be written down, however long the
 * store is away. Throws only refusals.
 */
export const untilAnswered = async <T>(
  { logger, pause }: PatienceDeps,
  fields: Readonly<Record<string, unknown>>,
  attempt: () => Promise<T>,
): Promise<T> => {
  for (let wait = 25; ; wait = Math.min(LONGEST_PAUSE_MS, wait * 2)) {
    try {
      return await attempt();
    } catch (error) {
      if (isDomainError(error) && error.errorType !== 'service_unavailable') throw error;
      logger.warn({ ...fields, err: error }, 'not written yet; trying again');
      await pause(wait);
    }
  }
};

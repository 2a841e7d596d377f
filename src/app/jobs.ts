import { setTimeout } from 'node:timers/promises';
import type { EphemeralStore } from '../kernel/ephemeral.ts';
import type { Logger } from '../kernel/logger.ts';

/** Work that is done again and again by one instance at a time. */
export type Job = Readonly<{
  name: string;
  everyMs: number;
  /** False while it would find nothing to work on. */
  mayRun: () => boolean;
  run: () => Promise<unknown>;
}>;

/**
 * Runs jobs until stopped. The lock only saves work: every job is safe to run on two instances at once, so that a lost
 * lock store costs nothing but a double look.
 */
export const startJobs = (jobs: readonly Job[], ephemeral: EphemeralStore, logger: Logger) => {
  const stopping = new AbortController();

  const isOurs = async ({ name, everyMs }: Job): Promise<boolean> => {
    try {
      return await ephemeral.claim(`job:${name}`, 1, Math.max(1, Math.floor((everyMs * 0.9) / 1000)));
    } catch {
      return true;
    }
  };

  const loop = async (job: Job): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        if (job.mayRun() && (await isOurs(job))) await job.run();
      } catch (error) {
        logger.warn({ err: error, job: job.name }, 'a job failed; it runs again');
      }
      await setTimeout(job.everyMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  };

  const running = jobs.map(loop);
  return {
    stop: async (): Promise<void> => {
      stopping.abort();
      await Promise.all(running);
    },
  };
};

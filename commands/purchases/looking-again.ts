import { isoOf, type Clock } from '../../src/kernel/clock.ts';
import { uuidOf } from '../../src/kernel/ids.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import type { Cause } from '../../src/kernel/message.ts';

type Deps = Readonly<{
  clock: Clock;
  logger: Logger;
  /** Between two looks at the same page, in milliseconds. */
  everyMs: number;
}>;

/** Looks at pages that somebody waits for. */
export type LookingAgain = Readonly<{
  /** Begins a look at a page, unless there was one just now; nobody waits for it. */
  look: (sessionId: string, work: (cause: Cause) => Promise<unknown>) => void;
  /** Resolves when nothing is being looked at here. */
  idle: () => Promise<void>;
}>;

const MOST = 10_000;

/**
 * A notice may be late, or have no way to us at all. So whoever asks how their page stands has it looked at, in the
 * background and now and then: the answer itself never waits for the payment provider.
 */
export const lookingAgain = ({ clock, logger, everyMs }: Deps): LookingAgain => {
  const looked = new Map<string, number>();
  const running = new Set<Promise<unknown>>();

  const isDue = (sessionId: string): boolean => {
    const now = clock().getTime();
    if (now - (looked.get(sessionId) ?? -Infinity) < everyMs) return false;
    looked.delete(sessionId);
    looked.set(sessionId, now);
    const [oldest] = looked.keys();
    if (looked.size > MOST && oldest !== undefined) looked.delete(oldest);
    return true;
  };

  return {
    look: (sessionId, work) => {
      if (!isDue(sessionId)) return;
      const at = isoOf(clock());
      const id = uuidOf(`look|${sessionId}|${at}`);
      const task = work({ at, correlationId: id, causationId: id, actor: { kind: 'job', id: 'asked-for-pages' } })
        .catch((error: unknown) => {
          logger.warn({ err: error, sessionId }, 'a page that is waited for could not be looked at');
        })
        .finally(() => running.delete(task));
      running.add(task);
    },
    idle: async () => {
      await Promise.all(running);
    },
  };
};

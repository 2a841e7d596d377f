import type { AnswerHead } from '../../../src/kernel/answer-log.ts';
import { isoOf } from '../../../src/kernel/clock.ts';
import type { Ended, RunningCompletion } from '../running-completion.ts';
import { writtenEnd } from './ended-text.ts';
import type { Keeper } from './keeper.ts';
import type { Live } from './live.ts';
import type { Presence } from './presence.ts';
import { recording } from './recording.ts';
import { within } from './within.ts';

/** The longest that a client waits for its end to be recorded. */
const TOLD_AFTER_MS = 500;

/** True when the account did not say what became of the money: its sweeper will. */
const isUnknown = ({ usage, estimated }: Ended): boolean => usage === undefined && estimated;

/**
 * Records a request of this process and hands it to all who read it; `readers` decide how long it goes on. `note` is told
 * how it was settled, before its readers are.
 */
export const own = (
  keeper: Keeper,
  running: RunningCompletion,
  readers: Presence,
  note: (ended: Ended) => Promise<void> = () => Promise.resolve(),
): Live => {
  const { requestId, userId, modelId, provider, startedAt } = running;
  const kept = recording();
  const head: AnswerHead = { requestId, userId, modelId, provider, startedAt: isoOf(startedAt) };

  const keepEnd = async (ended: Ended): Promise<void> => {
    if (isUnknown(ended)) return keeper.drop(requestId);
    await Promise.all([keeper.end(requestId, writtenEnd(ended)), note(ended)]);
  };

  const run = async (): Promise<void> => {
    const told = await running.deliver({
      take: (batch) => {
        kept.add(batch);
        return undefined;
      },
    });
    // Who cancels hears so at once, also while the provider is still asked what it has counted.
    if (told.how === 'cancelled' || told.how === 'gone') kept.finish(told);
    const ended = await running.settled;
    const keeping = keepEnd(ended);
    await within(keeping, keeper.isHealthy() ? TOLD_AFTER_MS : 0);
    kept.finish(ended);
    await keeping;
    readers.close();
  };

  keeper.keep(head, kept, readers.touch);
  const view = { requestId, userId, modelId, startedAt, recording: kept, presence: readers };
  return { ...view, opened: Promise.resolve(), over: run() };
};

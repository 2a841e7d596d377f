import {
  COMPLETION_CANCEL,
  type CompletionCancelEvent,
} from '../../src/events/completion-cancel/completion-cancel.events.ts';
import { completionCancelUpcasters } from '../../src/events/completion-cancel/completion-cancel.upcasters.ts';
import type { EventStore, Position } from '../../src/kernel/event-store.ts';
import type { Logger } from '../../src/kernel/logger.ts';
import { upcast } from '../../src/kernel/upcasting.ts';
import type { Completions } from '../completions/completions.ts';

export type FollowCancelsDeps = Readonly<{
  store: Pick<EventStore, 'head' | 'subscribe'>;
  completions: Pick<Completions, 'find'>;
  pause: (milliseconds: number) => Promise<void>;
  logger: Logger;
}>;

const LONGEST_PAUSE_MS = 5_000;

/**
 * Ends the requests of this process that are cancelled at another one, until `signal` aborts. What was asked before the
 * process began is of no concern to it; what is asked while the store is away is heard when it is back. Resolves when
 * stopped; never rejects.
 */
export const followCancels = async (deps: FollowCancelsDeps, signal: AbortSignal): Promise<void> => {
  const { store, completions, logger } = deps;
  const stopped = (): boolean => signal.aborted;
  let position: Position | undefined;
  let began = false;

  const heed = ({ data: { requestId, userId } }: CompletionCancelEvent): void => {
    const running = completions.find(requestId);
    if (running?.userId === userId) void running.stop('cancel');
  };

  const follow = async (following: () => void): Promise<void> => {
    if (!began) position = await store.head();
    began = true;
    const from = position === undefined ? {} : { from: position };
    for await (const item of store.subscribe({
      ...from,
      filter: { streamPrefixes: [`${COMPLETION_CANCEL}-`] },
      signal,
    })) {
      following();
      if (item.kind === 'caught-up') continue;
      if (item.kind === 'event') heed(upcast(completionCancelUpcasters, item.event) as CompletionCancelEvent);
      position = item.kind === 'event' ? item.event.position : item.position;
    }
  };

  for (let wait = 100; !stopped(); wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
    try {
      await follow(() => {
        wait = 100;
      });
    } catch (error) {
      logger.warn({ err: error }, 'cancels of other instances are not heard; trying again');
    }
    if (!stopped()) await deps.pause(wait);
  }
};

import {
  COMPLETION_CANCEL,
  type CompletionCancelEvent,
} from '../../src/events/completion-cancel/completion-cancel.events.ts';
import { completionCancelUpcasters } from '../../src/events/completion-cancel/completion-cancel.upcasters.ts';
import { followLive, type FollowLiveDeps } from '../../src/kernel/follow-live.ts';
import { upcast } from '../../src/kernel/upcasting.ts';
import type { Completions } from '../completions/completions.ts';

export type FollowCancelsDeps = FollowLiveDeps & Readonly<{ completions: Pick<Completions, 'find'> }>;

/**
 * Ends the requests of this process that are cancelled at another one, until `signal` aborts. What was asked before the
 * process began is of no concern to it. Resolves when stopped; never rejects.
 */
export const followCancels = ({ completions, ...deps }: FollowCancelsDeps, signal: AbortSignal): Promise<void> =>
  followLive(
    deps,
    {
      what: 'cancels of other instances',
      streamPrefixes: [`${COMPLETION_CANCEL}-`],
      heed: (stored) => {
        const { data } = upcast(completionCancelUpcasters, stored) as CompletionCancelEvent;
        const running = completions.find(data.requestId);
        if (running?.userId === data.userId) void running.stop('cancel');
      },
    },
    signal,
  );

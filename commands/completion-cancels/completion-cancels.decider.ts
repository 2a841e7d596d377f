import type { CompletionCancelEvent } from '../../src/events/completion-cancel/completion-cancel.events.ts';
import type { Decider } from '../../src/kernel/decider.ts';
import type { RequestCompletionCancel } from './completion-cancels.commands.ts';

export type CompletionCancel = Readonly<{ status: 'none' | 'requested' }>;

/** A request is asked to end once; whether it may be is known to its account, which is asked before. */
export const completionCancelDecider: Decider<CompletionCancel, RequestCompletionCancel, CompletionCancelEvent> = {
  initial: { status: 'none' },
  evolve: () => ({ status: 'requested' }),
  decide: ({ data }, { status }) => (status === 'requested' ? [] : [{ type: 'CompletionCancelRequested', data }]),
};

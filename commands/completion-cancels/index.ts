import {
  COMPLETION_CANCEL,
  type CompletionCancelEvent,
} from '../../src/events/completion-cancel/completion-cancel.events.ts';
import { completionCancelUpcasters } from '../../src/events/completion-cancel/completion-cancel.upcasters.ts';
import type { Aggregate } from '../../src/kernel/aggregate.ts';
import type { RequestCompletionCancel } from './completion-cancels.commands.ts';
import { completionCancelDecider, type CompletionCancel } from './completion-cancels.decider.ts';

/** The wish to end one request, by request id. */
export const completionCancelAggregate: Aggregate<CompletionCancel, RequestCompletionCancel, CompletionCancelEvent> = {
  category: COMPLETION_CANCEL,
  decider: completionCancelDecider,
  upcasters: completionCancelUpcasters,
};

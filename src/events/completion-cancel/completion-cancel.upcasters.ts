import type { Upcasters } from '../../kernel/upcasting.ts';
import type { CompletionCancelEvent } from './completion-cancel.events.ts';

/** The event is still in its first shape. */
export const completionCancelUpcasters: Upcasters<CompletionCancelEvent> = {};

import type { Upcasters } from '../../kernel/upcasting.ts';
import type { CompletionEvent } from './completion.events.ts';

/** Every event of the category is still in its first shape. */
export const completionUpcasters: Upcasters<CompletionEvent> = {};

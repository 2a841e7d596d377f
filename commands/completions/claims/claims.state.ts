import type { CompletionEnded, CompletionStarted } from '../../../src/events/completion/completion.events.ts';

type Started = CompletionStarted['data'];

/** What a key stands for: nothing yet, an attempt that runs, one that cost nothing, or one that was charged. */
export type Claim =
  | Readonly<{ status: 'unused' }>
  | Readonly<{ status: 'running' | 'free'; started: Started }>
  | Readonly<{ status: 'final'; started: Started; ended: CompletionEnded['data'] }>;

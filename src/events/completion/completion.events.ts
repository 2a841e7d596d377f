import type { Event, IsoTime } from '../../kernel/message.ts';
import type { MicroText } from '../../kernel/money.ts';
import type { FinishReason } from '../../kernel/usage.ts';

/** A key of a user was taken for one piece of work. Neither the key nor the work can be read from it. */
export type CompletionStarted = Event<
  'CompletionStarted',
  Readonly<{
    /** The request, and so the reservation, that does the work. */
    requestId: string;
    userId: string;
    /** Counts from 1; a further one follows an attempt that cost nothing. */
    attempt: number;
    /** A keyed hash of what was asked for. */
    bodyDigest: string;
    modelId: string;
    streamed: boolean;
    at: IsoTime;
  }>
>;

/** An attempt is over. One that was charged is the last of its key. */
export type CompletionEnded = Event<
  'CompletionEnded',
  Readonly<{
    requestId: string;
    attempt: number;
    /** `refused`: before a provider had accepted it. `abandoned`: its owner died, and the account tells what it cost. */
    how: 'completed' | 'cancelled' | 'failed' | 'gone' | 'refused' | 'abandoned';
    finish: FinishReason | null;
    /** What was charged, which may be nothing; null when all money was given back. */
    charged: MicroText | null;
    at: IsoTime;
  }>
>;

export type CompletionEvent = CompletionStarted | CompletionEnded;

/** Streams are `completion-<claimId>`: one for each key of each user. */
export const COMPLETION = 'completion';

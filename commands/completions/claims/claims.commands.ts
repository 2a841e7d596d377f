import type { CompletionEnded, CompletionStarted } from '../../../src/events/completion/completion.events.ts';
import type { Command } from '../../../src/kernel/message.ts';

/**
 * Takes a key for one attempt. Says nothing when somebody has taken it: follow them. Refused with `already_exists` when the
 * key stands for other work. Request ids are random, so that of two rivals' appends only one
 * is made. Key `start:<requestId>`.
 */
export type StartCompletion = Command<'StartCompletion', CompletionStarted['data']>;

/** Notes how an attempt ended. Says nothing when that is known. Key `end:<requestId>`. */
export type EndCompletion = Command<'EndCompletion', CompletionEnded['data']>;

export type ClaimCommand = StartCompletion | EndCompletion;

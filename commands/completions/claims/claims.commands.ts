import type { CompletionEnded, CompletionStarted } from '../../../src/events/completion/completion.events.ts';
import type { Command } from '../../../src/kernel/message.ts';

/**
 * Takes a key for one attempt. Says nothing when somebody has taken it: follow them. Refused with `already_exists` when the
 * key stands for other work. Key `start:<requestId>:<nonce>`: with equal keys two rivals' appends would be one and both
 * would believe to have won.
 */
export type StartCompletion = Command<'StartCompletion', CompletionStarted['data']>;

/** Notes how an attempt ended. Says nothing when that is known. Key `end:<requestId>`. */
export type EndCompletion = Command<'EndCompletion', CompletionEnded['data']>;

export type ClaimCommand = StartCompletion | EndCompletion;

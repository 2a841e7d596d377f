import type { Event, IsoTime } from '../../kernel/message.ts';

/** Its user wants a running request to end; the instance that runs it hears so from the log. */
export type CompletionCancelRequested = Event<
  'CompletionCancelRequested',
  Readonly<{ requestId: string; userId: string; at: IsoTime }>
>;

export type CompletionCancelEvent = CompletionCancelRequested;

/** Streams are `completionCancel-<requestId>`. */
export const COMPLETION_CANCEL = 'completionCancel';

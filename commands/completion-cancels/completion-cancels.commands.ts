import type { Command, IsoTime } from '../../src/kernel/message.ts';

/** Asks whichever instance runs the request to end it. Key `cancel:<requestId>`. */
export type RequestCompletionCancel = Command<
  'RequestCompletionCancel',
  Readonly<{ requestId: string; userId: string; at: IsoTime }>
>;

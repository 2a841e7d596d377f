import type { Answer } from './answer.ts';
import type { Ended } from '../running-completion.ts';
import { DomainError } from '../../../src/kernel/errors.ts';
import type { Presence } from './presence.ts';
import type { Recording } from './recording.ts';

/** A recorded answer in this process, whoever makes it. */
export type Live = Readonly<{
  requestId: string;
  userId: string;
  modelId: string;
  startedAt: Date;
  recording: Recording;
  presence: Presence;
  /** Resolves when there is something to present. Rejects with the refusal, or with Freed. */
  opened: Promise<void>;
  /** Resolves when this process has nothing more to say about it; the log may have. */
  over: Promise<void>;
}>;

/** The attempt cost nothing and has left nothing: its work may be begun again. */
export class FreedError extends Error {
  readonly tag = 'FreedError';
  constructor() {
    super('the attempt came to nothing');
    this.name = 'FreedError';
  }
}

/** True for a FreedError. */
export const isFreed = (error: unknown): error is FreedError => error instanceof FreedError;

/** What is told to nobody: the reader has left. */
const LEFT: Ended = {
  how: 'gone',
  endedBy: 'client',
  finish: null,
  usage: undefined,
  charged: 0n,
  estimated: true,
  failure: undefined,
  fallbackAttempted: false,
};

/** An answer that was ended because nobody read it, for one who comes in that moment: what was charged is told next time. */
const seen = (ended: Ended): Ended => {
  if (ended.how !== 'gone') return ended;
  const why = 'the answer was being ended because nobody read it; send the request again';
  return { ...ended, how: 'failed', failure: new DomainError('service_unavailable', why, { retryAfterSeconds: 1 }) };
};

/** One caller's view of a recorded answer; `leave` is called when it has been told everything. */
export const answerFrom = (
  { requestId, modelId, startedAt, recording }: Live,
  caller: Readonly<{ gone: AbortSignal; replayed: boolean; leave: () => void }>,
): Answer => ({
  requestId,
  modelId,
  startedAt,
  replayed: caller.replayed,
  deliver: async (sink, from = 0) => {
    try {
      const ended = await recording.read(sink, from, caller.gone);
      return ended === undefined ? LEFT : seen(ended);
    } finally {
      caller.leave();
    }
  },
});

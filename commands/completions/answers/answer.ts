import type { Cause } from '../../../src/kernel/message.ts';
import type { CompletionOrder } from '../completion-order.ts';
import type { Job } from '../plan.ts';
import type { Answering, CompletionSink, Ended } from '../running-completion.ts';

/**
 * One caller's view of an answer, which may be somebody else's too. Each caller reads at its own speed; a slow one holds
 * nobody up.
 */
export type Answer = Omit<Answering, 'deliver'> &
  Readonly<{
    /** When the work began: equal for everybody who is given this answer. */
    startedAt: Date;
    /** True when an earlier request with the same key began the work. */
    replayed: boolean;
    /**
     * Hands the answer on from the event at position `from` (0 when absent: the beginning; the position after a batch is
     * the one before it plus its length) until it ends, or until this caller has gone. Resolves when the charge is
     * durable; never rejects. To be called once. Answers that are not recorded begin where they are.
     */
    deliver: (sink: CompletionSink, from?: number) => Promise<Ended>;
  }>;

/**
 * The streaming LLM command for clients who may ask twice. What has neither a key nor is resumable goes straight through
 * to its provider and costs nothing more.
 */
export type Answers = Readonly<{
  /** A conversation; see `run`. */
  open: (order: CompletionOrder, cause: Cause, gone: AbortSignal) => Promise<Answer>;
  /**
   * Begins the work, or joins what a request with the same key has begun on whatever instance. `gone` says that this
   * caller has left; work that is recorded goes on for a while, so that the client may come back. Throws what
   * `Completions.run` throws, and `already_exists` when the key stands for other work or its answer is no longer kept.
   */
  run: (job: Job, cause: Cause, gone: AbortSignal) => Promise<Answer>;
  /**
   * A recorded answer by its request id, running or ended, on whatever instance. Throws DomainErrors `not_found`
   * (unknown, not recorded, no longer kept) and `forbidden` (somebody else's).
   */
  follow: (requestId: string, userId: string, gone: AbortSignal) => Promise<Answer>;
  /** Ends what is read from other instances: this process goes down, and its callers can read on elsewhere. */
  release: () => void;
  /** Resolves when all that has ended is recorded, or after `limitMs`. To be called when `Completions` is shut down. */
  close: (limitMs: number) => Promise<void>;
}>;

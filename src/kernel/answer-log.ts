import type { IsoTime } from './message.ts';
import type { UpstreamEvent } from './upstream.ts';

/** What is known of a recorded answer from its beginning. */
export type AnswerHead = Readonly<{
  requestId: string;
  userId: string;
  modelId: string;
  provider: string;
  startedAt: IsoTime;
}>;

/** News of one recorded answer: what was said from position `from` on, and how it ended once it has. */
export type AnswerNews = Readonly<{
  head: AnswerHead;
  from: number;
  events: readonly UpstreamEvent[];
  /** JSON; undefined while the answer goes on. */
  over: unknown;
}>;

/** A recorded answer as somebody else than its owner finds it. */
export type AnswerPage = AnswerNews &
  Readonly<{
    /** How long ago its owner last gave a sign of life, by the log's own clock. */
    silentMs: number;
  }>;

/**
 * The port to what answers said, kept for a day so that they can be resumed and replayed. Never the truth about money. It
 * holds what people asked for only under their own key. Failures are DatabaseUnavailableErrors or faults; all may be
 * repeated.
 */
export type AnswerLog = Readonly<{
  /**
   * Keeps news of answers, and a sign of life of each. What is repeated is kept once. Answers the request ids that
   * somebody on another instance reads now.
   */
  write: (news: readonly AnswerNews[]) => Promise<ReadonlySet<string>>;
  /** What was said from position `from` on, a part of it when that is much; undefined when there is no such answer. */
  read: (requestId: string, from: number) => Promise<AnswerPage | undefined>;
  /** Notes that somebody reads the answer, for the next `seconds`. */
  follow: (requestId: string, seconds: number) => Promise<void>;
  /** Forgets the answers of a user. Resolves with their number. */
  forgetUser: (userId: string) => Promise<number>;
  /** Forgets the answers that began before. Resolves with their number. */
  sweep: (before: Date) => Promise<number>;
}>;

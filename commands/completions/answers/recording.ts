import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import type { CompletionSink, Ended } from '../running-completion.ts';

/** The longest answer that is recorded, in characters. No model writes as much; what does is broken. */
const LONGEST_ANSWER = 16 * 1024 * 1024;
/** A slow reader of a long answer is given it in pieces. */
const MOST_AT_ONCE = 256;
/** What an event takes besides its text, in bytes, roughly. */
const EVENT_BYTES = 128;

/** The events of one answer, in memory: one writes, many read at their own speed. */
export type Recording = Readonly<{
  /** Adds to the answer. Throws when it grows beyond all measure. */
  add: (events: readonly UpstreamEvent[]) => void;
  /** Says how it ended, once. */
  finish: (ended: Ended) => void;
  /** How many events there are. */
  position: () => number;
  /** How much memory they take, in bytes, roughly. */
  bytes: () => number;
  since: (position: number) => readonly UpstreamEvent[];
  ended: () => Ended | undefined;
  /** Hands it on from a position to the end. Resolves with undefined when the reader left before. */
  read: (sink: CompletionSink, from: number, gone: AbortSignal) => Promise<Ended | undefined>;
}>;

const sizeOf = (event: UpstreamEvent): number => {
  if ('text' in event) return event.text.length;
  return 'arguments' in event ? event.arguments.length : 0;
};

/** An empty recording. */
export const recording = (longest = LONGEST_ANSWER): Recording => {
  const events: UpstreamEvent[] = [];
  const waiting = new Set<() => void>();
  let size = 0;
  let ended: Ended | undefined;

  const wake = (): void => {
    for (const reader of waiting) reader();
    waiting.clear();
  };

  /** Resolves at the next news, or when the reader leaves. */
  const news = (gone: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        gone.removeEventListener('abort', done);
        waiting.delete(done);
        resolve();
      };
      waiting.add(done);
      gone.addEventListener('abort', done, { once: true });
    });

  const read: Recording['read'] = async (sink, from, gone) => {
    let position = from;
    while (!gone.aborted) {
      const batch = events.slice(position, position + MOST_AT_ONCE);
      position += batch.length;
      if (batch.length > 0) {
        const drained = sink.take(batch);
        if (drained !== undefined) await drained;
      } else if (ended === undefined) {
        await news(gone);
      } else {
        return ended;
      }
    }
    return undefined;
  };

  return {
    add: (batch) => {
      if (batch.length === 0 || ended !== undefined) return;
      for (const event of batch) {
        size += sizeOf(event);
        events.push(event);
      }
      wake();
      if (size > longest) throw new Error('the answer is longer than any that is recorded');
    },
    finish: (how) => {
      if (ended !== undefined) return;
      ended = how;
      wake();
    },
    position: () => events.length,
    bytes: () => 2 * size + events.length * EVENT_BYTES,
    since: (position) => events.slice(position),
    ended: () => ended,
    read,
  };
};

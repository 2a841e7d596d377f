import type { UpstreamEvent } from '../../../src/kernel/upstream.ts';
import type { CompletionSink, Ended } from '../running-completion.ts';

/** The longest answer that is recorded, in characters. No model writes as much; what does is broken. */
export const LONGEST_ANSWER = 16 * 1024 * 1024;
/** A slow reader of a long answer is given it in pieces. */
const MOST_AT_ONCE = 256;

/** The events of one answer, in memory: one writes, many read at their own speed. */
export type Recording = Readonly<{
  /** Adds to the answer. Throws when it grows beyond all measure. */
  add: (events: readonly UpstreamEvent[]) => void;
  /** Says how it ended, once. */
  finish: (ended: Ended) => void;
  /** How many events there are. */
  position: () => number;
  since: (position: number) => readonly UpstreamEvent[];
  ended: () => Ended | undefined;
  /** Resolves at the next addition or the end; at once when it has ended. */
  changed: () => Promise<void>;
  /** Hands it on from a position to the end; undefined when the reader left before. */
  read: (sink: CompletionSink, from: number, gone: AbortSignal) => Promise<Ended | undefined>;
}>;

const sizeOf = (event: UpstreamEvent): number => {
  if ('text' in event) return event.text.length;
  return event.type === 'toolCall' ? event.arguments.length : 0;
};

/** Resolves when the signal aborts. */
const aborted = (signal: AbortSignal): Readonly<{ promise: Promise<void>; forget: () => void }> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = (): void => resolve();
  signal.addEventListener('abort', done, { once: true });
  if (signal.aborted) resolve();
  return { promise, forget: () => signal.removeEventListener('abort', done) };
};

/** An empty recording. */
export const recording = (longest = LONGEST_ANSWER): Recording => {
  const events: UpstreamEvent[] = [];
  let size = 0;
  let ended: Ended | undefined;
  let change = Promise.withResolvers<void>();

  const tell = (): void => {
    const told = change;
    change = Promise.withResolvers<void>();
    told.resolve();
  };

  const changed = (): Promise<void> => (ended === undefined ? change.promise : Promise.resolve());

  const read: Recording['read'] = async (sink, from, gone) => {
    const left = aborted(gone);
    try {
      for (let position = from; !gone.aborted; ) {
        const batch = events.slice(position, position + MOST_AT_ONCE);
        position += batch.length;
        if (batch.length > 0) {
          const drained = sink.take(batch);
          if (drained !== undefined) await Promise.race([drained, left.promise]);
        } else if (ended === undefined) {
          await Promise.race([change.promise, left.promise]);
        } else {
          return ended;
        }
      }
      return undefined;
    } finally {
      left.forget();
    }
  };

  return {
    add: (batch) => {
      if (batch.length === 0 || ended !== undefined) return;
      for (const event of batch) {
        size += sizeOf(event);
        events.push(event);
      }
      tell();
      if (size > longest) throw new Error('the answer is longer than any that is recorded');
    },
    finish: (how) => {
      if (ended !== undefined) return;
      ended = how;
      tell();
    },
    position: () => events.length,
    since: (position) => events.slice(position),
    ended: () => ended,
    changed,
    read,
  };
};

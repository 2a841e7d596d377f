import type { Metrics } from '../metrics.ts';
import type { ExpectedRevision } from '../streams/append-rules.ts';
import type { EventStore } from '../streams/event-store.ts';
import type { WriteOutcome } from '../streams/stream-writer.ts';
import type { NewEvent } from '../wire/record.ts';

/** Appends for calls of either kind, and counts them. */
export type Appender = {
  /** The most bytes one append may have. */
  maxBytes: number;
  append: (stream: string, expected: ExpectedRevision, events: readonly NewEvent[]) => Promise<WriteOutcome>;
};

/** An appender to a store. */
export const createAppender = (store: EventStore, metrics: Metrics, maxBytes: number): Appender => ({
  maxBytes,
  append: async (stream, expected, events) => {
    const started = performance.now();
    let result: WriteOutcome['kind'] | 'refused' = 'refused';
    try {
      const outcome = await store.writer.append(stream, expected, events);
      result = outcome.kind;
      return outcome;
    } finally {
      metrics.appended(result, (performance.now() - started) / 1000);
    }
  },
});

import { setTimeout } from 'node:timers/promises';
import {
  ANY,
  BACKWARDS,
  END,
  EventStoreDBClient,
  FORWARDS,
  jsonEvent,
  NO_STREAM as CLIENT_NO_STREAM,
  START,
  type AppendExpectedRevision,
} from '@eventstore/db-client';
import {
  isAfter,
  NO_STREAM,
  RevisionConflictError,
  StoreUnavailableError,
  type Appended,
  type EventStore,
  type NewEvent,
  type Position,
  type StoredEvent,
} from '../../src/kernel/event-store.ts';
import { turnsByKey } from '../../src/kernel/turns.ts';
import { appender } from './appender.ts';
import { errorType } from './client-errors.ts';
import { impatient, inTime } from './patience.ts';
import { rawCallsOf } from './raw-calls.ts';
import { subscribeTo } from './subscription.ts';
import { storedEventOf } from './stored-event.ts';
import { withWideWindow } from './wide-window.ts';

/** How long an append may take, and a read or a new subscription may be silent, before it counts as lost. */
const PATIENCE_MS = 15_000;

/**
 * So many reads, and so many appends, are under way at once; the others wait here. Thousands of calls on one connection
 * keep both of its ends from answering its keep-alive, and when that drops it they all fail together.
 */
const CALLS_AT_ONCE = 128;

const CLOSE_TIMEOUT_MS = 1000;

const expectationOf = (expected: bigint | 'any'): AppendExpectedRevision => {
  if (expected === 'any') return ANY;
  return expected === NO_STREAM ? CLIENT_NO_STREAM : expected;
};

const unavailable = (what: string, error: unknown): Error =>
  error instanceof StoreUnavailableError ? error : new StoreUnavailableError(what, error);

/** The client's own way, which cuts an append into several messages. */
const appendWith =
  (client: EventStoreDBClient, patienceMs: number): EventStore['append'] =>
  async (stream, expected, events): Promise<Appended> => {
    const proposed = events.map(({ id, type, data, metadata }: NewEvent) =>
      jsonEvent({ id, type, data: data as Record<string, unknown>, metadata: metadata as Record<string, unknown> }),
    );
    try {
      const result = await inTime(
        'append',
        patienceMs,
        client.appendToStream(stream, proposed, { expectedRevision: expectationOf(expected) }),
      );
      if (result.position === undefined) throw new Error('the store told no position');
      return { revision: result.nextExpectedRevision, position: result.position };
    } catch (error) {
      if (errorType(error) === 'wrong-expected-version') throw new RevisionConflictError(stream, expected, error);
      throw unavailable('append failed', error);
    }
  };

const readWith =
  (client: EventStoreDBClient, patienceMs: number): EventStore['read'] =>
  async (stream, { from, maxCount, backwards = false } = {}) => {
    const events: StoredEvent[] = [];
    const reading = client.readStream(stream, {
      direction: backwards ? BACKWARDS : FORWARDS,
      fromRevision: from ?? (backwards ? END : START),
      ...(maxCount === undefined ? {} : { maxCount }),
    });
    const { heard, over } = impatient('read', patienceMs, reading);
    try {
      for await (const { event } of reading) {
        heard();
        if (event !== undefined) events.push(storedEventOf(event));
      }
      return events;
    } catch (error) {
      if (errorType(error) === 'stream-not-found') return [];
      throw unavailable('read failed', error);
    } finally {
      over();
    }
  };

const readAllWith =
  (client: EventStoreDBClient, patienceMs: number): EventStore['readAll'] =>
  async ({ from, maxCount, filter }) => {
    const prefixes = filter?.streamPrefixes ?? [];
    const wanted = (event: StoredEvent): boolean =>
      !event.type.startsWith('$') &&
      (prefixes.length === 0 || prefixes.some((prefix) => event.stream.startsWith(prefix))) &&
      isAfter(event.position, from);
    const events: StoredEvent[] = [];
    const reading = client.readAll({ direction: FORWARDS, fromPosition: from ?? START });
    const { heard, over } = impatient('read of the log', patienceMs, reading);
    try {
      for await (const { event } of reading) {
        heard();
        if (event === undefined) continue;
        const stored = storedEventOf(event);
        if (wanted(stored)) events.push(stored);
        if (events.length >= maxCount) break;
      }
      return events;
    } catch (error) {
      throw unavailable('read of the log failed', error);
    } finally {
      over();
      // Leaving the loop early does not end the call behind it.
      void reading.cancel().catch(() => undefined);
    }
  };

const headWith =
  (client: EventStoreDBClient, patienceMs: number): EventStore['head'] =>
  async (): Promise<Position | undefined> => {
    const reading = client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 });
    const { over } = impatient('read of the end of the log', patienceMs, reading);
    try {
      for await (const { event } of reading) if (event !== undefined) return event.position;
      return undefined;
    } catch (error) {
      throw unavailable('the end of the log could not be read', error);
    } finally {
      over();
    }
  };

/**
 * The event store behind an `esdb://` connection string: EventStoreDB, KurrentDB or the embedded event node. What is
 * silent for `patienceMs` milliseconds is given up.
 */
export const connectEventStore = (connectionString: string, patienceMs = PATIENCE_MS): EventStore => {
  const client = withWideWindow(EventStoreDBClient.connectionString(connectionString));
  const calls = rawCallsOf(client);
  const head = headWith(client, patienceMs);
  const read = readWith(client, patienceMs);
  const append = appender(calls, appendWith(client, patienceMs), patienceMs);
  const inTurn = turnsByKey(CALLS_AT_ONCE);
  return {
    read: (...asked) => inTurn('read', () => read(...asked)),
    append: (...said) => inTurn('append', () => append(...said)),
    readAll: readAllWith(client, patienceMs),
    head,
    subscribe: (options) => subscribeTo(calls, { ...options, patienceMs }),
    keepLast: async (stream, maxCount) => {
      await client.setStreamMetadata(stream, { maxCount });
    },
    ping: async () => {
      await head();
    },
    close: async () => {
      // A call that was cancelled while its reader was slow never reports its end, and the client would wait for it.
      const closed = new AbortController();
      const late = setTimeout(CLOSE_TIMEOUT_MS, undefined, { signal: closed.signal }).catch(() => undefined);
      await Promise.race([client.dispose(), late]);
      closed.abort();
    },
  };
};

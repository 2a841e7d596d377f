import { randomUUID } from 'node:crypto';
import {
  isRevisionConflict,
  isStoreUnavailable,
  RevisionConflictError,
  StoreUnavailableError,
  type Appended,
  type EventStore,
} from '../../src/kernel/event-store.ts';
import { inTime, tookTooLong } from './patience.ts';
import type { AppendCall, RawCalls } from './raw-calls.ts';
import { appendAnswer, type AppendAnswer } from './wire/append-answer.ts';
import { appendRequest } from './wire/append-request.ts';

type Waiting = Readonly<{
  resolve: (answer: AppendAnswer) => void;
  reject: (error: unknown) => void;
  timer: NodeJS.Timeout;
}>;

/** A call and the appends on it that have no answer yet. */
type Open = Readonly<{ call: AppendCall; waiting: Map<string, Waiting> }>;

/** How long the store may take to begin with an append. */
const DEADLINE_MS = 10_000;
/** A message may have 4 MiB. */
const MOST_BYTES = 3 * 1024 * 1024;

const take = ({ waiting }: Open, message: Buffer): void => {
  const answer = appendAnswer(message);
  const found = waiting.get(answer.correlation);
  if (found === undefined) return;
  waiting.delete(answer.correlation);
  clearTimeout(found.timer);
  found.resolve(answer);
};

const failAll = ({ waiting }: Open, error: unknown): void => {
  for (const { reject, timer } of waiting.values()) {
    clearTimeout(timer);
    reject(error);
  }
  waiting.clear();
};

const send = (
  { call, waiting }: Open,
  correlation: string,
  message: Buffer,
  patienceMs: number,
): Promise<AppendAnswer> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      waiting.delete(correlation);
      reject(tookTooLong('append'));
    }, patienceMs);
    waiting.set(correlation, { resolve, reject, timer });
    call.write(message);
  });

const appendedOf = (answer: AppendAnswer, stream: string, expected: bigint | 'any'): Appended => {
  if (answer.kind === 'conflict') throw new RevisionConflictError(stream, expected);
  if (answer.kind === 'failed') throw new StoreUnavailableError(`append failed: ${answer.reason}`);
  if (answer.position === undefined) throw new StoreUnavailableError('the store told no position');
  return { revision: answer.revision, position: answer.position };
};

/**
 * Appends over one long call, encoded here: the client's own way writes every event as base64, reads it back, and
 * encodes it twice. `large` takes what is too large for one message; what has no answer after `patienceMs` milliseconds counts
 * as lost. Throws as the port says.
 */
export const appender = (calls: RawCalls, large: EventStore['append'], patienceMs: number): EventStore['append'] => {
  let current: Promise<Open> | undefined;
  /** The open call, once it is: an append then needs no turn to find it. */
  let ready: Open | undefined;

  const open = async (): Promise<Open> => {
    const call = await calls.append();
    const opened: Open = { call, waiting: new Map() };
    const over = (error?: unknown): void => {
      if (ready === opened) [ready, current] = [undefined, undefined];
      failAll(opened, error ?? new Error('the call for appends ended'));
    };
    call.on('data', (message: Buffer) => {
      try {
        take(opened, message);
      } catch (error) {
        call.destroy(error as Error);
      }
    });
    call.on('error', over).on('end', over).on('close', over);
    ready = opened;
    return opened;
  };

  const opening = (): Promise<Open> => {
    current ??= open().catch((error: unknown) => {
      current = undefined;
      throw error;
    });
    return current;
  };

  return async (stream, expected, events) => {
    const correlation = randomUUID();
    const deadline = Date.now() + DEADLINE_MS;
    const message = appendRequest({ correlation, stream, expected, events, deadline });
    if (message.length > MOST_BYTES) return large(stream, expected, events);
    try {
      const answer = await send(
        ready ?? (await inTime('append', patienceMs, opening())),
        correlation,
        message,
        patienceMs,
      );
      return appendedOf(answer, stream, expected);
    } catch (error) {
      if (isRevisionConflict(error) || isStoreUnavailable(error)) throw error;
      throw new StoreUnavailableError('append failed', error);
    }
  };
};

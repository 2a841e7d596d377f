import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { StorageRefusal } from '../log/event-log.ts';
import type { ExpectedRevision } from '../streams/append-rules.ts';

/** A call refused in the terms that clients turn into their own errors. */
export class Refusal extends Error {
  readonly code: status;
  readonly metadata: Metadata;
  constructor(code: status, message: string, trailers: Record<string, string> = {}) {
    super(message);
    this.code = code;
    this.metadata = new Metadata();
    // Trailers carry visible ASCII only; a stream name may be anything.
    for (const [name, value] of Object.entries(trailers)) {
      this.metadata.set(name, value.replace(/[^\x20-\x7e]+/g, encodeURIComponent));
    }
  }
}

/** The request cannot be understood. */
export const invalidArgument = (message: string): Refusal => new Refusal(status.INVALID_ARGUMENT, message);

/** The stream has a tombstone. */
export const streamDeleted = (stream: string): Refusal =>
  new Refusal(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': stream,
  });

/** The events of one append are larger than the node takes. */
export const appendTooLarge = (maxBytes: number): Refusal =>
  new Refusal(status.INVALID_ARGUMENT, `Maximum append size of ${maxBytes} bytes exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(maxBytes),
  });

/** The number the protocol has for an expectation that is not a revision. */
const expectedVersion = (expected: ExpectedRevision): number =>
  expected === 'any' ? -2 : expected === 'noStream' ? -1 : expected === 'streamExists' ? -4 : expected;

/** The stream is not where the caller believed; for calls whose reply has no place for it. */
export const wrongExpectedVersion = (stream: string, expected: ExpectedRevision, current: number): Refusal =>
  new Refusal(
    status.FAILED_PRECONDITION,
    `Append failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expectedVersion(expected)}, Actual version: ${current}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': stream,
      'expected-version': String(expectedVersion(expected)),
      ...(current < 0 ? {} : { 'actual-version': String(current) }),
    },
  );

/** The node is going away. */
export const shuttingDown = (): Refusal => new Refusal(status.UNAVAILABLE, 'The event node is shutting down.');

/** What to answer for an error of any kind. */
export const toStatus = (error: unknown): Pick<StatusObject, 'code' | 'details' | 'metadata'> => {
  if (error instanceof Refusal) return { code: error.code, details: error.message, metadata: error.metadata };
  const metadata = new Metadata();
  if (error instanceof StorageRefusal) return { code: status.RESOURCE_EXHAUSTED, details: error.message, metadata };
  if (error instanceof RangeError) return { code: status.INVALID_ARGUMENT, details: error.message, metadata };
  return { code: status.INTERNAL, details: error instanceof Error ? error.message : 'internal error', metadata };
};

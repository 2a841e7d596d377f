import { status } from '@grpc/grpc-js';
import type { ExpectedRevision } from '../streams/append-rules.ts';
import {
  bytesFieldSize,
  putBytes,
  putVarint,
  putVarintField,
  streamIdentifier,
  varintFieldSize,
} from '../../../eventstore/wire/protobuf.ts';

/** Why one batch of many on a call was not stored: `detail` is the message `event_store.client.<name>`. */
export type BatchRefusal = { code: status; message: string; name: string; detail: Buffer };

const nothing = Buffer.alloc(0);

const bytesField = (field: number, value: Uint8Array): Buffer => {
  const into = Buffer.allocUnsafe(bytesFieldSize(value.length));
  putBytes(into, 0, field, value);
  return into;
};
/** A member of a oneof, which is written even when it is zero. */
const chosenNumber = (field: number, value: number): Buffer => {
  const into = Buffer.allocUnsafe(Math.max(2, varintFieldSize(value)));
  into[0] = field << 3;
  putVarint(into, 1, value);
  return into;
};

const expectation = (expected: ExpectedRevision): Buffer => {
  if (expected === 'any') return bytesField(4, nothing);
  if (expected === 'streamExists') return bytesField(5, nothing);
  return expected === 'noStream' ? bytesField(6, nothing) : chosenNumber(3, expected);
};

/** The stream is not where the writer believed; `current` is -1 when it has no events. */
export const wrongRevision = (expected: ExpectedRevision, current: number): BatchRefusal => {
  const actual = current < 0 ? bytesField(2, nothing) : chosenNumber(1, current);
  return {
    code: status.ALREADY_EXISTS,
    message: 'the stream is not at the expected revision',
    name: 'WrongExpectedVersion',
    detail: Buffer.concat([actual, expectation(expected)]),
  };
};

/** The stream has a tombstone. */
export const deletedStream = (stream: string): BatchRefusal => ({
  code: status.FAILED_PRECONDITION,
  message: `Event stream '${stream}' is deleted.`,
  name: 'StreamDeleted',
  detail: bytesField(1, streamIdentifier(stream)),
});

/** The batch is larger than the node takes. */
export const batchTooLarge = (maxBytes: number): BatchRefusal => ({
  code: status.INVALID_ARGUMENT,
  message: `Maximum append size of ${maxBytes} bytes exceeded.`,
  name: 'MaximumAppendSizeExceeded',
  detail: chosenNumber(1, maxBytes),
});

/** The deadline passed before anything was stored. */
export const deadlinePassed = (): BatchRefusal => ({
  code: status.DEADLINE_EXCEEDED,
  message: 'The deadline of the batch has passed.',
  name: 'Timeout',
  detail: nothing,
});

/** Anything else, told in words. */
export const badBatch = (code: status, message: string): BatchRefusal => ({
  code,
  message,
  name: 'BadRequest',
  detail: bytesField(1, Buffer.from(message)),
});

/** The reply that tells a client its batch was refused; `correlation` as the client sent it. */
export const refusedBatch = (correlation: Uint8Array, stream: string, reason: BatchRefusal): Buffer => {
  const any = Buffer.concat([
    bytesField(1, Buffer.from(`type.googleapis.com/event_store.client.${reason.name}`)),
    bytesField(2, reason.detail),
  ]);
  const code = Buffer.allocUnsafe(varintFieldSize(reason.code));
  putVarintField(code, 0, 1, reason.code);
  const error = Buffer.concat([code, bytesField(2, Buffer.from(reason.message)), bytesField(3, any)]);
  return Buffer.concat([bytesField(1, correlation), bytesField(2, error), bytesField(4, streamIdentifier(stream))]);
};

import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { NO_STREAM, type Position } from '../../../src/kernel/event-store.ts';
import { walk } from './protobuf.ts';
import { uuidOf } from './uuid.ts';

/** What the store said to one append, named by the correlation it was sent with. */
export type AppendAnswer = Readonly<{ correlation: string }> &
  (
    | Readonly<{ kind: 'stored'; revision: bigint; position: Position | undefined }>
    | Readonly<{ kind: 'conflict' }>
    | Readonly<{ kind: 'failed'; reason: string }>
  );

const SUCCESS = 3;

const positionOf = (message: Buffer): Position => {
  let [commit, prepare] = [0n, 0n];
  walk(message, {
    varint: (field, value) => {
      if (field === 1) commit = BigInt(value);
      else if (field === 2) prepare = BigInt(value);
    },
  });
  return { commit, prepare };
};

const storedOf = (correlation: string, message: Buffer): AppendAnswer => {
  let revision = NO_STREAM;
  let position: Position | undefined;
  walk(message, {
    varint: (_field, value) => (revision = BigInt(value)),
    bytes: (field, value) => {
      if (field === 3) position = positionOf(value);
    },
  });
  return { kind: 'stored', correlation, revision, position };
};

/** Refusals are rare, and their details are many messages: the generated code reads them. */
const refusedOf = (correlation: string, message: Buffer): AppendAnswer => {
  const error = streamsPb.BatchAppendResp.deserializeBinary(message).getError();
  const details = error?.getDetails()?.getTypeName() ?? '';
  if (details === 'event_store.client.WrongExpectedVersion') return { kind: 'conflict', correlation };
  return { kind: 'failed', correlation, reason: `${details} ${error?.getMessage() ?? ''}`.trim() };
};

/** Reads a `BatchAppendResp`; throws a RangeError when the bytes are not one. */
export const appendAnswer = (message: Buffer): AppendAnswer => {
  let correlation = '';
  let success: Buffer | undefined;
  walk(message, {
    bytes: (field, value) => {
      if (field === 1) correlation = uuidOf(value);
      else if (field === SUCCESS) success = value;
    },
  });
  return success === undefined ? refusedOf(correlation, message) : storedOf(correlation, success);
};

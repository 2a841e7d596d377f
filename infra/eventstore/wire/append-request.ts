import { NO_STREAM, type NewEvent } from '../../../src/kernel/event-store.ts';
import { bytesFieldSize, putHeader, putText, putVarint, putVarintField, varintFieldSize } from './protobuf.ts';

/** Appends of one call to a stream. `correlation` is a UUID in text that comes back with the answer. */
export type AppendRequest = Readonly<{
  correlation: string;
  stream: string;
  expected: bigint | 'any';
  events: readonly NewEvent[];
  /** Milliseconds since the epoch after which the store is to refuse it. */
  deadline: number;
}>;

const UUID_LENGTH = 36;
/** A `UUID` message with its text. */
const UUID_SIZE = bytesFieldSize(UUID_LENGTH);
const JSON_TYPE = 'application/json';
const TYPE = 'type';
const CONTENT_TYPE = 'content-type';

const STREAM_POSITION = 2;
const MUST_NOT_EXIST = 3;
const ANY_REVISION = 4;

const putUuid = (into: Buffer, at: number, field: number, text: string): number =>
  putText(into, putHeader(into, at, field, UUID_SIZE), 2, text, UUID_LENGTH);

const entrySize = (name: string, length: number): number => bytesFieldSize(name.length) + bytesFieldSize(length);

const putEntry = (into: Buffer, at: number, name: string, value: string, length: number): number => {
  const start = putHeader(into, at, 2, entrySize(name, length));
  return putText(into, putText(into, start, 1, name, name.length), 2, value, length);
};

/** A text with its length in UTF-8. */
type Measured = Readonly<{ text: string; length: number }>;

const measured = (text: string): Measured => ({ text, length: Buffer.byteLength(text) });
const jsonOf = (value: unknown): Measured => measured(value === undefined ? '' : JSON.stringify(value));

/** An event on its way, its parts measured. */
type Proposed = Readonly<{ id: string; type: Measured; data: Measured; metadata: Measured; size: number }>;

const optionalSize = ({ length }: Measured): number => (length === 0 ? 0 : bytesFieldSize(length));

const proposedOf = ({ id, type, data, metadata }: NewEvent): Proposed => {
  const parts = { type: measured(type), data: jsonOf(data), metadata: jsonOf(metadata) };
  const size =
    bytesFieldSize(UUID_SIZE) +
    bytesFieldSize(entrySize(TYPE, parts.type.length)) +
    bytesFieldSize(entrySize(CONTENT_TYPE, JSON_TYPE.length)) +
    optionalSize(parts.metadata) +
    optionalSize(parts.data);
  return { id, ...parts, size };
};

const putOptional = (into: Buffer, at: number, field: number, { text, length }: Measured): number =>
  length === 0 ? at : putText(into, at, field, text, length);

const putProposed = (into: Buffer, at: number, { id, type, data, metadata, size }: Proposed): number => {
  let next = putUuid(into, putHeader(into, at, 3, size), 1, id);
  next = putEntry(into, next, TYPE, type.text, type.length);
  next = putEntry(into, next, CONTENT_TYPE, JSON_TYPE, JSON_TYPE.length);
  return putOptional(into, putOptional(into, next, 3, metadata), 4, data);
};

const expectationSize = (expected: bigint | 'any'): number =>
  // A member of a oneof is written also when it is zero.
  expected === 'any' || expected === NO_STREAM ? 2 : Math.max(2, varintFieldSize(Number(expected)));

const putExpectation = (into: Buffer, at: number, expected: bigint | 'any'): number => {
  if (expected === 'any') return putHeader(into, at, ANY_REVISION, 0);
  if (expected === NO_STREAM) return putHeader(into, at, MUST_NOT_EXIST, 0);
  into[at] = STREAM_POSITION << 3;
  return putVarint(into, at + 1, Number(expected));
};

const MS = 1_000;
const NANOS = 1_000_000;

/** The bytes of a `BatchAppendReq` that is complete in itself. */
export const appendRequest = ({ correlation, stream, expected, events, deadline }: AppendRequest): Buffer => {
  const name = measured(stream);
  const identifier = bytesFieldSize(name.length);
  const seconds = Math.floor(deadline / MS);
  const nanos = Math.floor(deadline % MS) * NANOS;
  const timestamp = varintFieldSize(seconds) + varintFieldSize(nanos);
  const options = bytesFieldSize(identifier) + expectationSize(expected) + bytesFieldSize(timestamp);
  const proposed = events.map(proposedOf);
  const content = proposed.reduce((sum, { size }) => sum + bytesFieldSize(size), 0);
  const into = Buffer.allocUnsafe(bytesFieldSize(UUID_SIZE) + bytesFieldSize(options) + content + 2);
  let at = putUuid(into, 0, 1, correlation);
  at = putHeader(into, at, 2, options);
  at = putText(into, putHeader(into, at, 1, identifier), 3, stream, name.length);
  at = putExpectation(into, at, expected);
  at = putHeader(into, at, 6, timestamp);
  at = putVarintField(into, putVarintField(into, at, 1, seconds), 2, nanos);
  for (const event of proposed) at = putProposed(into, at, event);
  putVarintField(into, at, 4, 1);
  return into;
};

import {
  bytesFieldSize,
  putBytes,
  putHeader,
  putVarint,
  putVarintField,
  streamIdentifier,
  varintFieldSize,
  walk,
} from '../../../eventstore/wire/protobuf.ts';
import { readUuid } from './uuid.ts';
import type { NewEvent } from './record.ts';
import type { ExpectedRevision } from '../streams/append-rules.ts';

/** The first message of a batch says where its events go. `deadline` is in milliseconds since the epoch. */
export type BatchOptions = { stream: string; expected: ExpectedRevision; deadline: number };

/** One `BatchAppendReq`. `correlation` is the message that names the batch, sent back as it came. */
export type BatchPart = { correlation: Buffer; options: BatchOptions | undefined; events: NewEvent[]; final: boolean };

const nothing = Buffer.alloc(0);

const readEntry = (entry: Buffer, into: NewEvent): void => {
  let name = '';
  let text = '';
  walk(entry, {
    bytes: (field, value) => {
      if (field === 1) name = value.toString('latin1');
      else text = value.toString('utf8');
    },
  });
  if (name === 'type') into.type = text;
  else if (name === 'content-type') into.contentType = text;
};

const readProposed = (message: Buffer): NewEvent => {
  const event: NewEvent = { id: '', type: '', contentType: '', data: nothing, customMetadata: nothing };
  walk(message, {
    bytes: (field, value) => {
      if (field === 1) event.id = readUuid(value);
      else if (field === 2) readEntry(value, event);
      else if (field === 3) event.customMetadata = value;
      else event.data = value;
    },
  });
  return event;
};

const readTimestamp = (message: Buffer): number => {
  let milliseconds = 0;
  walk(message, { varint: (field, value) => (milliseconds += field === 1 ? value * 1000 : value / 1e6) });
  return milliseconds;
};

const readIdentifier = (message: Buffer): string => {
  let name = '';
  walk(message, { bytes: (_field, value) => (name = value.toString('utf8')) });
  return name;
};

const readOptions = (message: Buffer): BatchOptions => {
  const options: BatchOptions = { stream: '', expected: 'any', deadline: Infinity };
  walk(message, {
    varint: (_field, value) => (options.expected = value),
    bytes: (field, value) => {
      if (field === 1) options.stream = readIdentifier(value);
      else if (field === 3) options.expected = 'noStream';
      else if (field === 4) options.expected = 'any';
      else if (field === 5) options.expected = 'streamExists';
      else if (field === 6) options.deadline = readTimestamp(value);
    },
  });
  return options;
};

/** Reads a `BatchAppendReq`; throws a RangeError when the bytes are not one. Data are views of the message. */
export const readBatchPart = (message: Buffer): BatchPart => {
  const part: BatchPart = { correlation: nothing, options: undefined, events: [], final: false };
  walk(message, {
    varint: (_field, value) => (part.final = value !== 0),
    bytes: (field, value) => {
      if (field === 1) part.correlation = value;
      else if (field === 2) part.options = readOptions(value);
      else if (field === 3) part.events.push(readProposed(value));
    },
  });
  return part;
};

// Members of a oneof are written even when they are zero.
const revisionOption = (revision: number): Buffer => {
  if (revision < 0) return Buffer.from([0x12, 0]);
  const into = Buffer.alloc(Math.max(2, varintFieldSize(revision)));
  into[0] = 0x08;
  putVarint(into, 1, revision);
  return into;
};

const positionOption = (position: number): Buffer => {
  if (position < 1) return Buffer.from([0x22, 0]);
  const length = 2 * varintFieldSize(position);
  const into = Buffer.alloc(bytesFieldSize(length));
  putVarintField(into, putVarintField(into, putHeader(into, 0, 3, length), 1, position), 2, position);
  return into;
};

/** A `BatchAppendResp` for a batch that is stored: its last revision (-1 for none) and position (0 for none). */
export const batchSuccess = (correlation: Buffer, stream: string, revision: number, position: number): Buffer => {
  const where = revisionOption(revision);
  const place = positionOption(position);
  const identifier = streamIdentifier(stream);
  const into = Buffer.allocUnsafe(
    bytesFieldSize(correlation.length) +
      bytesFieldSize(where.length + place.length) +
      bytesFieldSize(identifier.length),
  );
  let at = putHeader(into, putBytes(into, 0, 1, correlation), 3, where.length + place.length);
  into.set(where, at);
  at += where.length;
  into.set(place, at);
  putBytes(into, at + place.length, 4, identifier);
  return into;
};

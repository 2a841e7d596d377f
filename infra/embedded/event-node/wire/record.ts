import {
  bytesFieldSize,
  putBytes,
  putHeader,
  putText,
  putVarintField,
  streamNameField,
  varintFieldSize,
  walk,
} from '../../../eventstore/wire/protobuf.ts';

/** An event as a client proposes it. */
export type NewEvent = {
  /** Lower-case UUID. */
  id: string;
  type: string;
  contentType: string;
  data: Uint8Array;
  customMetadata: Uint8Array;
};

/** Where and when an event is stored; `created` is in milliseconds since the epoch. */
export type Place = { stream: string; revision: number; position: number; created: number };

/** An event as it is stored. */
export type StoredEvent = NewEvent & Place;

/** The revision of a tombstone inside the node; on the wire it is the largest 64-bit integer. */
export const tombstoneRevision = Number.MAX_SAFE_INTEGER;
const tombstoneVarint = Buffer.from([0x18, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);

const idField = 1;
const streamField = 2;
const revisionField = 3;
const prepareField = 4;
const commitField = 5;
const metadataField = 6;
const customMetadataField = 7;
const dataField = 8;
const idLength = 36;
/** Tag, length, tag, length in front of the textual id: its 36 characters always sit at the same place. */
const idStart = 4;
const streamStart = idStart + idLength;

const putEntry = (into: Buffer, at: number, name: string, value: string, length: number): number => {
  const content = bytesFieldSize(name.length) + bytesFieldSize(length);
  const start = putHeader(into, at, metadataField, content);
  return putText(into, putText(into, start, 1, name, name.length), 2, value, length);
};
const entrySize = (name: string, length: number): number =>
  bytesFieldSize(bytesFieldSize(name.length) + bytesFieldSize(length));

const putRevision = (into: Buffer, at: number, revision: number): number => {
  if (revision !== tombstoneRevision) return putVarintField(into, at, revisionField, revision);
  into.set(tombstoneVarint, at);
  return at + tombstoneVarint.length;
};
const revisionSize = (revision: number): number =>
  revision === tombstoneRevision ? tombstoneVarint.length : varintFieldSize(revision);

const slabSize = 256 * 1024;
let slab = Buffer.alloc(0);
let used = 0;
/** Records are let go in the order they were made, so a slab of their own is freed whole; the common pool would linger. */
const allocate = (size: number): Buffer => {
  if (size > slabSize / 4) return Buffer.allocUnsafeSlow(size);
  if (used + size > slab.length) {
    slab = Buffer.allocUnsafeSlow(slabSize);
    used = 0;
  }
  used += size;
  return slab.subarray(used - size, used);
};

/** The bytes of a `RecordedEvent` message: what is stored is what is sent, so a read encodes nothing. */
export const encodeRecord = (event: NewEvent, place: Place): Buffer => {
  // The wire counts time in ticks of 100 ns, which a double cannot hold; four zeros can.
  const created = `${place.created}0000`;
  const streamLength = Buffer.byteLength(place.stream);
  const typeLength = Buffer.byteLength(event.type);
  const contentTypeLength = Buffer.byteLength(event.contentType);
  const name = bytesFieldSize(streamLength);
  const size =
    streamStart +
    bytesFieldSize(name) +
    entrySize('type', typeLength) +
    entrySize('content-type', contentTypeLength) +
    entrySize('created', created.length) +
    revisionSize(place.revision) +
    2 * varintFieldSize(place.position) +
    (event.customMetadata.length === 0 ? 0 : bytesFieldSize(event.customMetadata.length)) +
    (event.data.length === 0 ? 0 : bytesFieldSize(event.data.length));
  const into = allocate(size);
  let at = putText(into, putHeader(into, 0, idField, 2 + idLength), 2, event.id, idLength);
  at = putText(into, putHeader(into, at, streamField, name), streamNameField, place.stream, streamLength);
  at = putEntry(into, at, 'type', event.type, typeLength);
  at = putEntry(into, at, 'content-type', event.contentType, contentTypeLength);
  at = putEntry(into, at, 'created', created, created.length);
  at = putRevision(into, at, place.revision);
  at = putVarintField(into, at, prepareField, place.position);
  at = putVarintField(into, at, commitField, place.position);
  if (event.customMetadata.length > 0) at = putBytes(into, at, customMetadataField, event.customMetadata);
  if (event.data.length > 0) putBytes(into, at, dataField, event.data);
  return into;
};

const lengthAt = (record: Buffer, at: number): [length: number, start: number] => {
  let value = 0;
  let next = at;
  for (let scale = 1; ; scale *= 0x80) {
    const byte = record[next++] ?? 0;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return [value, next];
  }
};

/** The id of a stored record. */
export const idOf = (record: Buffer): string => record.toString('latin1', idStart, streamStart);

/** The stream name of a stored record. */
export const streamOf = (record: Buffer): string => {
  const [, inner] = lengthAt(record, streamStart + 1);
  const [length, start] = lengthAt(record, inner + 1);
  return record.toString('utf8', start, start + length);
};

/** The event type of a stored record. */
export const typeOf = (record: Buffer): string => {
  const [streamLength, streamContent] = lengthAt(record, streamStart + 1);
  const [, entry] = lengthAt(record, streamContent + streamLength + 1);
  const [nameLength, name] = lengthAt(record, entry + 1);
  const [length, start] = lengthAt(record, name + nameLength + 1);
  return record.toString('utf8', start, start + length);
};

const readEntry = (entry: Buffer): [name: string, value: string] => {
  const parts = ['', ''];
  walk(entry, { bytes: (field, value) => (parts[field - 1] = value.toString('utf8')) });
  return [parts[0] ?? '', parts[1] ?? ''];
};

/** A stored record as a value; `data` and `customMetadata` are views of the record. */
export const decodeRecord = (record: Buffer): StoredEvent => {
  const event: StoredEvent = {
    id: idOf(record),
    stream: streamOf(record),
    type: '',
    contentType: '',
    created: 0,
    revision: 0,
    position: 0,
    data: Buffer.alloc(0),
    customMetadata: Buffer.alloc(0),
  };
  walk(record, {
    varint: (field, value) => {
      if (field === revisionField) event.revision = Number.isSafeInteger(value) ? value : tombstoneRevision;
      else if (field === commitField) event.position = value;
    },
    bytes: (field, value) => {
      if (field === dataField) event.data = value;
      else if (field === customMetadataField) event.customMetadata = value;
      else if (field === metadataField) {
        const [name, text] = readEntry(value);
        if (name === 'type') event.type = text;
        else if (name === 'content-type') event.contentType = text;
        else event.created = Number(text.slice(0, -4));
      }
    },
  });
  return event;
};

import type { FeedItem, StoredEvent } from '../../../src/kernel/event-store.ts';
import type { EventMetadata } from '../../../src/kernel/message.ts';
import { walk } from './protobuf.ts';
import { uuidOf } from './uuid.ts';

/** The store counts time in ticks of 100 ns. */
const TICK_DIGITS = 4;
const JSON_TYPE = 'application/json';

/** The parts of a `RecordedEvent` that are texts. */
type Texts = { type: string; contentType: string; created: string };

const readEntry = (entry: Buffer, into: Texts): void => {
  let name = '';
  let text = '';
  walk(entry, {
    bytes: (field, value) => {
      if (field === 1) name = value.toString('latin1');
      else text = value.toString();
    },
  });
  if (name === 'type') into.type = text;
  else if (name === 'content-type') into.contentType = text;
  else if (name === 'created') into.created = text;
};

const nameOf = (identifier: Buffer): string => {
  let name = '';
  walk(identifier, { bytes: (_field, value) => (name = value.toString()) });
  return name;
};

/** The JSON, or what `instead` gives when it is none: others may have written anything. */
const parsed = (bytes: Buffer, instead: (bytes: Buffer) => unknown): unknown => {
  try {
    return JSON.parse(bytes.toString()) as unknown;
  } catch {
    return instead(bytes);
  }
};

const NOTHING: Buffer = Buffer.alloc(0);

const recordedOf = (record: Buffer): StoredEvent => {
  const texts: Texts = { type: '', contentType: '', created: '0' };
  let id = '';
  let stream = '';
  let [revision, prepare, commit] = [0, 0, 0];
  let metadata: Buffer = NOTHING;
  let data: Buffer = NOTHING;
  walk(record, {
    varint: (field, value) => {
      if (field === 3) revision = value;
      else if (field === 4) prepare = value;
      else if (field === 5) commit = value;
    },
    bytes: (field, value) => {
      if (field === 1) id = uuidOf(value);
      else if (field === 2) stream = nameOf(value);
      else if (field === 6) readEntry(value, texts);
      else if (field === 7) metadata = value;
      else if (field === 8) data = value;
    },
  });
  return {
    id,
    stream,
    revision: BigInt(revision),
    type: texts.type,
    data: texts.contentType === JSON_TYPE ? parsed(data, (bytes) => bytes.toString()) : data,
    metadata: (metadata.length === 0 ? undefined : parsed(metadata, (bytes) => bytes)) as EventMetadata,
    created: new Date(Number(texts.created.slice(0, -TICK_DIGITS))),
    position: { commit: BigInt(commit), prepare: BigInt(prepare) },
  };
};

const eventItem = (readEvent: Buffer): FeedItem | undefined => {
  let record: Buffer | undefined;
  walk(readEvent, {
    bytes: (field, value) => {
      if (field === 1) record = value;
    },
  });
  return record === undefined ? undefined : { kind: 'event', event: recordedOf(record) };
};

const checkpointItem = (checkpoint: Buffer): FeedItem => {
  let [commit, prepare] = [0, 0];
  walk(checkpoint, {
    varint: (field, value) => {
      if (field === 1) commit = value;
      else if (field === 2) prepare = value;
    },
  });
  return { kind: 'checkpoint', position: { commit: BigInt(commit), prepare: BigInt(prepare) } };
};

const EVENT = 1;
const CHECKPOINT = 3;
const CAUGHT_UP = 8;

/** What a `ReadResp` of a subscription says; undefined when it is nothing for a reader. */
export const feedItemOf = (message: Buffer): FeedItem | undefined => {
  let item: FeedItem | undefined;
  walk(message, {
    bytes: (field, value) => {
      if (field === EVENT) item = eventItem(value);
      else if (field === CHECKPOINT) item = checkpointItem(value);
      else if (field === CAUGHT_UP) item = { kind: 'caught-up' };
    },
  });
  return item;
};

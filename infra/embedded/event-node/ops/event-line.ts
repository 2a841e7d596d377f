import { hashStreamName } from '../streams/stream-key.ts';
import { decodeRecord, type NewEvent } from '../wire/record.ts';
import { OperationFailed } from './operation.ts';

/** One row of the log for the outside. */
export type LogRowOut = { position: number; stream: number; revision: number; body: Uint8Array | null };

type Bytes = { json: unknown } | { base64: string };
/** One line of an export: an event, or the place of one that was scavenged. */
type EventLine = {
  position: number;
  revision: number;
  /** The key of the stream, where it is not the hash of its name. */
  key?: number;
  stream?: string;
  id?: string;
  type?: string;
  contentType?: string;
  created?: string;
  data?: Bytes;
  metadata?: Bytes;
};

// JSON stays readable where that keeps every byte; a number too long for a double, for one, would not survive.
const toBytes = (bytes: Uint8Array): Bytes => {
  const text = Buffer.from(bytes).toString('utf8');
  try {
    const json: unknown = JSON.parse(text);
    if (JSON.stringify(json) === text) return { json };
  } catch {
    // Not JSON: the bytes go as they are.
  }
  return { base64: Buffer.from(bytes).toString('base64') };
};
const fromBytes = (bytes: Bytes | undefined): Buffer => {
  if (bytes === undefined) return Buffer.alloc(0);
  return 'json' in bytes ? Buffer.from(JSON.stringify(bytes.json)) : Buffer.from(bytes.base64, 'base64');
};

/** A row of the log as one line of JSON. */
export const writeEventLine = ({ position, stream, revision, body }: LogRowOut): string => {
  if (body === null) return JSON.stringify({ position, revision, key: stream } satisfies EventLine);
  const event = decodeRecord(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  const line: EventLine = {
    position,
    stream: event.stream,
    revision,
    id: event.id,
    type: event.type,
    contentType: event.contentType,
    created: new Date(event.created).toISOString(),
    data: toBytes(event.data),
    ...(event.customMetadata.length === 0 ? {} : { metadata: toBytes(event.customMetadata) }),
    ...(stream === hashStreamName(event.stream) ? {} : { key: stream }),
  };
  return JSON.stringify(line);
};

/** A line of an export, read back. `event` is missing when it was scavenged. */
export type ReadLine = {
  position: number;
  key: number;
  revision: number;
  event: (NewEvent & { stream: string; created: number }) | undefined;
};

/** Reads a line of an export; throws OperationFailed when it is none. */
export const readEventLine = (text: string): ReadLine => {
  const line = parse(text);
  const { position, revision, stream, id, type, contentType } = line;
  if (stream === undefined) return { position, revision, key: line.key ?? 0, event: undefined };
  if (id === undefined || type === undefined || contentType === undefined) {
    throw new OperationFailed(`the line of position ${position} is not a whole event`);
  }
  const created = Date.parse(line.created ?? '');
  const data = fromBytes(line.data);
  const customMetadata = fromBytes(line.metadata);
  const event = { stream, id, type, contentType, created, data, customMetadata };
  return { position, revision, key: line.key ?? hashStreamName(stream), event };
};

const parse = (text: string): EventLine => {
  try {
    return JSON.parse(text) as EventLine;
  } catch (error) {
    throw new OperationFailed('a line is not JSON', { cause: error });
  }
};

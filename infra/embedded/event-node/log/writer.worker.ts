import { hash } from 'node:crypto';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { bringHome, diskFull, openLogForWriting } from './schema.ts';
import type { WriterData, WriterReply, WriterRequest, WriterRows } from './writer.ts';

// Many requests become one transaction, but a huge one would make the first of them wait for the last.
const maxRowsPerCommit = 4096;
const maxBytesPerCommit = 8 * 1024 * 1024;

const port = parentPort;
if (port === null) throw new Error('the writer runs as a worker thread');
const { path, maxBytes } = workerData as WriterData;
const log = openLogForWriting(path);
if (maxBytes !== undefined) log.exec(`pragma max_page_count = ${Math.max(8, Math.floor(maxBytes / 4096))}`);
const insert = log.prepare('insert into events (position, stream, revision, sum, body) values (?, ?, ?, ?, ?)');

let last = Number(log.prepare('select coalesce(max(position), 0) as position from events').get()?.['position']);
// A refused transaction takes along what was sent after it: the sender starts anew at the next epoch.
let epoch = 0;
const reply = (message: WriterReply): void => port.postMessage(message);

const insertRows = (rows: WriterRows): void => {
  let offset = 0;
  for (let at = 0; at < rows.places.length; at += 4) {
    const [position = 0, stream = 0, revision = 0, length = 0] = rows.places.subarray(at, at + 4);
    const body = rows.bodies.subarray(offset, offset + length);
    if (position !== last + 1) throw new Error(`position ${position} does not follow ${last}`);
    insert.run(position, stream, revision, hash('sha256', body, 'buffer').subarray(0, 16), body);
    offset += length;
    last = position;
  }
};

const commit = (batches: WriterRows[]): void => {
  const before = last;
  try {
    log.exec('begin');
    for (const rows of batches) insertRows(rows);
    log.exec('commit');
  } catch (error) {
    last = before;
    if (log.isTransaction) log.exec('rollback');
    const { errcode, message } = error as Error & { errcode?: number };
    if (errcode !== diskFull) throw error;
    epoch += 1;
    reply({ kind: 'refused', message: `the disk is full: ${message}` });
    return;
  }
  reply({ kind: 'committed', position: last });
};

const close = (): void => {
  bringHome(log);
  log.close();
  reply({ kind: 'closed' });
  port.close();
};

const gather = (first: WriterRequest): { batches: WriterRows[]; closing: boolean } => {
  const batches: WriterRows[] = [];
  let rows = 0;
  let bytes = 0;
  for (let next: WriterRequest | undefined = first; next !== undefined;) {
    if (next.kind === 'close') return { batches, closing: true };
    if (next.epoch === epoch) {
      batches.push(next);
      rows += next.places.length / 4;
      bytes += next.bodies.length;
    }
    if (rows >= maxRowsPerCommit || bytes >= maxBytesPerCommit) break;
    next = receiveMessageOnPort(port)?.message as WriterRequest | undefined;
  }
  return { batches, closing: false };
};

port.on('message', (first: WriterRequest) => {
  const { batches, closing } = gather(first);
  if (batches.length > 0) commit(batches);
  if (closing) close();
});
reply({ kind: 'ready', position: last });

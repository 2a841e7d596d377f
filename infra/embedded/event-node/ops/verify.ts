import { hash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { indexFile, logFile, openForReading } from '../log/schema.ts';
import { decodeRecord, tombstoneRevision } from '../wire/record.ts';
import { OperationFailed } from './operation.ts';

/** What a verification found; no faults means that every event is as it was written and where it belongs. */
export type Verification = { events: number; scavenged: number; position: number; indexed: number; faults: string[] };

type Row = { position: number; stream: number; revision: number; sum: Uint8Array | null; body: Uint8Array | null };

const mostFaults = 20;

const checkBody = ({ position, revision, sum, body }: Row): string | undefined => {
  if (body === null || sum === null) return undefined;
  const digest = hash('sha256', body, 'buffer').subarray(0, sum.length);
  if (!digest.equals(sum)) return `the event at position ${position} is not as it was written`;
  const record = decodeRecord(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  if (record.position === position && record.revision === revision) return undefined;
  return `the event at position ${position} says it is at ${record.position}, revision ${record.revision}`;
};

const checkStreams = (log: DatabaseSync, position: number): string[] =>
  log
    .prepare(
      `select stream, revision, previous from (
        select stream, revision, lag(revision, 1, -1) over (partition by stream order by revision) as previous
        from events where position <= ?)
      where revision <> previous + 1 and revision <> ? limit ?`,
    )
    .all(position, tombstoneRevision, mostFaults)
    .map(
      (row) =>
        `stream ${Number(row['stream'])} goes from revision ${Number(row['previous'])} to ${Number(row['revision'])}`,
    );

const openIndex = (dataDir: string): DatabaseSync | undefined => {
  const path = join(dataDir, indexFile);
  return existsSync(path) ? openForReading(path, 8000) : undefined;
};

type RowCheck = (row: Row) => string | undefined;

/** Checks a row against the index, as far as that has come. */
const indexCheck = (index: DatabaseSync | undefined, indexed: number): RowCheck => {
  const inIndex = index?.prepare('select position from stream_events where stream = ? and revision = ?');
  return ({ position, stream, revision, body }) => {
    if (inIndex === undefined || position > indexed || body === null) return undefined;
    const known = inIndex.get(stream, revision)?.['position'];
    return known === position ? undefined : `the index has no place for position ${position}`;
  };
};

const checkRows = (log: DatabaseSync, last: number, found: Verification, checkIndex: RowCheck): void => {
  for (const row of log.prepare('select * from events where position <= ? order by position').iterate(last)) {
    const event = row as Row;
    const gap = event.position === found.position + 1 ? undefined : `position ${found.position + 1} is missing`;
    const fault = gap ?? checkBody(event) ?? checkIndex(event);
    if (fault !== undefined) found.faults.push(fault);
    if (event.body === null) found.scavenged += 1;
    else found.events += 1;
    found.position = event.position;
    if (found.faults.length >= mostFaults) return;
  }
};

/** Reads every event again: positions without gaps, bodies against their hashes, streams without gaps, the index. */
export const verify = (dataDir: string): Verification => {
  const path = join(dataDir, logFile);
  if (!existsSync(path)) throw new OperationFailed(`there is no log in ${dataDir}`);
  const log = openForReading(path, 8000);
  const index = openIndex(dataDir);
  try {
    const indexed = Number(index?.prepare('select position from progress').get()?.['position'] ?? 0);
    const found: Verification = { events: 0, scavenged: 0, position: 0, indexed, faults: [] };
    const last = Number(log.prepare('select coalesce(max(position), 0) as last from events').get()?.['last']);
    checkRows(log, last, found, indexCheck(index, indexed));
    if (found.faults.length < mostFaults) found.faults.push(...checkStreams(log, last));
    return found;
  } finally {
    log.close();
    index?.close();
  }
};

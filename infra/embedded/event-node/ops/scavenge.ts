import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { lockDataDir } from '../data-lock.ts';
import { startIndexer } from '../log/indexer.ts';
import { indexFile, logFile, openForReading, openIndexForWriting, openLogForWriting } from '../log/schema.ts';
import { allocateStreamFilter } from '../log/stream-filter.ts';
import {
  firstReadable,
  isExpired,
  isMetastream,
  metastreamOf,
  metastreamPolicy,
  noPolicy,
  originalOf,
  readPolicy,
  type StreamPolicy,
} from '../streams/stream-policy.ts';
import { findStreamKey, hashStreamName } from '../streams/stream-key.ts';
import { decodeRecord, streamOf, tombstoneRevision, type StoredEvent } from '../wire/record.ts';
import { OperationFailed } from './operation.ts';

/** What a scavenge did: events taken away, and bytes of their content. */
export type Scavenged = { streams: number; events: number; bytes: number };

type Place = { revision: number; position: number };

const bringIndexLevel = async (dataDir: string): Promise<void> => {
  const nothing = (): void => undefined;
  const indexer = await startIndexer(
    { logPath: join(dataDir, logFile), indexPath: join(dataDir, indexFile), filter: allocateStreamFilter() },
    { onProgress: nothing, onIndexed: nothing, onFiltered: nothing, onFault: nothing },
  );
  await indexer.close();
};

/** Streams with something to take away: those with metadata, their metastreams, and those with a tombstone. */
const findCandidates = (dataDir: string): Set<string> => {
  const log = openForReading(join(dataDir, logFile), 8000);
  const names = new Set<string>();
  for (const row of log.prepare('select revision, body from events where body is not null').iterate()) {
    const body = row['body'] as Uint8Array;
    const stream = streamOf(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
    if (row['revision'] === tombstoneRevision) names.add(stream);
    if (isMetastream(stream)) names.add(stream).add(originalOf(stream));
  }
  log.close();
  return names;
};

/** Looks at streams and takes bodies away, in the log first: the index may lag behind it. */
const createSurgeon = (log: DatabaseSync, index: DatabaseSync) => {
  const places = index.prepare('select revision, position from stream_events where stream = ? order by revision');
  const lastPlace = index.prepare('select position from stream_events where stream = ? order by revision desc limit 1');
  const body = log.prepare('select body from events where position = ?');
  const clear = log.prepare('update events set body = null, sum = null where position = ?');
  const forget = index.prepare('delete from stream_events where stream = ? and revision = ?');
  const read = (position: number): StoredEvent | undefined => {
    const bytes = body.get(position)?.['body'] as Uint8Array | null | undefined;
    return bytes == null ? undefined : decodeRecord(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  };
  const ownerOf = (key: number): string | undefined => {
    const position = lastPlace.get(key)?.['position'];
    return position === undefined ? undefined : read(Number(position))?.stream;
  };
  const keyOf = (stream: string): number => findStreamKey(stream, hashStreamName, ownerOf);
  return {
    keyOf,
    read,
    places: (key: number): Place[] => places.all(key) as Place[],
    remove: (key: number, gone: readonly Place[]): void => {
      for (const { position } of gone) clear.run(position);
      for (const { revision } of gone) forget.run(key, revision);
    },
  };
};
type Surgeon = ReturnType<typeof createSurgeon>;

const policyOf = (surgeon: Surgeon, stream: string): StreamPolicy => {
  if (isMetastream(stream)) return metastreamPolicy;
  const last = surgeon.places(surgeon.keyOf(metastreamOf(stream))).at(-1);
  const event = last === undefined ? undefined : surgeon.read(last.position);
  return event === undefined ? noPolicy : readPolicy(event.data);
};

/** The last event always stays: it alone remembers how far the stream went. */
const expendable = (surgeon: Surgeon, stream: string, places: Place[], now: number): Place[] => {
  const last = places.at(-1);
  if (last === undefined) return [];
  const rest = places.slice(0, -1);
  if (last.revision === tombstoneRevision) return rest;
  const policy = policyOf(surgeon, stream);
  const first = firstReadable(policy, last.revision);
  const expired = ({ position }: Place): boolean =>
    policy.maxAge !== undefined && isExpired(policy, surgeon.read(position)?.created ?? now, now);
  return rest.filter((place) => place.revision < first || expired(place));
};

/** Takes away for good what metadata and tombstones hide. No node may run; positions and revisions stay. */
export const scavenge = async (dataDir: string, now: number): Promise<Scavenged> => {
  if (!existsSync(join(dataDir, logFile))) throw new OperationFailed(`there is no log in ${dataDir}`);
  const lock = lockDataDir(dataDir);
  try {
    await bringIndexLevel(dataDir);
    const candidates = findCandidates(dataDir);
    const log = openLogForWriting(join(dataDir, logFile));
    const index = openIndexForWriting(join(dataDir, indexFile));
    // What is taken away must not linger in free pages of the file.
    log.exec('pragma secure_delete = on');
    const surgeon = createSurgeon(log, index);
    const done: Scavenged = { streams: 0, events: 0, bytes: 0 };
    for (const stream of candidates) {
      const key = surgeon.keyOf(stream);
      const gone = expendable(surgeon, stream, surgeon.places(key), now);
      if (gone.length === 0) continue;
      for (const { position } of gone) done.bytes += surgeon.read(position)?.data.length ?? 0;
      log.exec('begin');
      index.exec('begin');
      surgeon.remove(key, gone);
      log.exec('commit');
      index.exec('commit');
      done.streams += 1;
      done.events += gone.length;
    }
    log.exec('vacuum; pragma wal_checkpoint(truncate)');
    log.close();
    index.close();
    return done;
  } finally {
    lock.release(true);
  }
};

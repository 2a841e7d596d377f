import type { EventLog } from '../log/event-log.ts';
import type { StreamIndex } from '../log/stream-index.ts';
import { decodeRecord, streamOf, tombstoneRevision } from '../wire/record.ts';
import { findStreamKey, type StreamHash } from './stream-key.ts';
import {
  isMetastream,
  metastreamOf,
  metastreamPolicy,
  noPolicy,
  readPolicy,
  type StreamPolicy,
} from './stream-policy.ts';

/** What a writer must know of a stream, appends under way included. */
export type StreamHead = {
  name: string;
  key: number;
  /** The last revision, -1 when there is none; a tombstone does not count. */
  last: number;
  tombstoned: boolean;
  policy: StreamPolicy;
  hasMetadata: boolean;
  /** The last position that changed this head: it is the truth on disk only when that is stored. */
  position: number;
  /** The last position of the log when the key was chosen. */
  keyedAt: number;
};

/** The heads of the streams in use; the others are looked up on demand. */
export type StreamHeads = {
  get: (name: string) => StreamHead;
  /** The head if it is in memory. */
  peek: (name: string) => StreamHead | undefined;
  /** Gives a stream without events its key for good, just before its first append. */
  claim: (head: StreamHead) => void;
};

/** Heads over a log and its index, at most `capacity` of them plus those with appends under way. */
export const createStreamHeads = (
  log: EventLog,
  index: StreamIndex,
  options: { capacity: number; hashOf: StreamHash },
): StreamHeads => {
  const heads = new Map<string, StreamHead>();

  /** Names of streams whose first event is under way: no index knows them yet. */
  const births = new Map<number, string>();
  log.watch({
    onStored: (entries) => {
      if (births.size > 0) for (const { stream } of entries) births.delete(stream);
    },
    onRefused: () => {
      births.clear();
      heads.clear();
    },
  });

  const ownerOf = (key: number): string | undefined => {
    const place = index.mayHave(key) ? index.last(key) : undefined;
    const entry = place === undefined ? undefined : log.at(place.position);
    return entry === undefined ? births.get(key) : streamOf(entry.body);
  };
  const loadPlain = (name: string): StreamHead => {
    const key = findStreamKey(name, options.hashOf, ownerOf);
    const head: StreamHead = {
      name,
      key,
      last: -1,
      tombstoned: false,
      policy: noPolicy,
      hasMetadata: false,
      position: 0,
      keyedAt: log.last(),
    };
    const [last, beforeLast] = index.mayHave(key) ? index.backwards(key, tombstoneRevision, 0, 2) : [];
    if (last === undefined) return head;
    head.tombstoned = last.revision === tombstoneRevision;
    head.last = (head.tombstoned ? beforeLast : last)?.revision ?? -1;
    head.position = last.position;
    return head;
  };
  const load = (name: string): StreamHead => {
    const head = loadPlain(name);
    if (isMetastream(name)) {
      head.policy = metastreamPolicy;
      return head;
    }
    // Most streams have no metadata: those need no second head.
    const metastream = metastreamOf(name);
    if (!heads.has(metastream) && !index.mayHave(options.hashOf(metastream))) return head;
    const meta = get(metastream);
    if (meta.last < 0) return head;
    const entry = log.at(index.at(meta.key, meta.last) ?? 0);
    if (entry === undefined) return head;
    head.hasMetadata = true;
    head.policy = readPolicy(decodeRecord(entry.body).data);
    head.position = Math.max(head.position, meta.position);
    return head;
  };
  const evict = (): void => {
    const enough = options.capacity * 0.9;
    for (const [name, head] of heads) {
      if (heads.size <= enough) return;
      // A head with appends under way is the only one that knows them.
      if (head.position <= log.stored()) heads.delete(name);
    }
  };
  const get = (name: string): StreamHead => {
    const known = heads.get(name);
    if (known !== undefined) {
      heads.delete(name);
      heads.set(name, known);
      return known;
    }
    const head = load(name);
    heads.set(name, head);
    if (heads.size > options.capacity) evict();
    return head;
  };
  return {
    get,
    peek: (name) => heads.get(name),
    claim: (head) => {
      // Another stream of the same hash may have begun since the key was looked up.
      if (head.keyedAt !== log.last()) head.key = findStreamKey(head.name, options.hashOf, ownerOf);
      births.set(head.key, head.name);
    },
  };
};

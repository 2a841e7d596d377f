import { randomUUID } from 'node:crypto';
import type { EventLog, LogRow } from '../log/event-log.ts';
import type { StreamIndex } from '../log/stream-index.ts';
import { decodeRecord, encodeRecord, idOf, tombstoneRevision, type NewEvent } from '../wire/record.ts';
import { decideAppend, type AppendDecision, type ExpectedRevision } from './append-rules.ts';
import { createRecentIds } from './recent-ids.ts';
import type { StreamHead, StreamHeads } from './stream-heads.ts';
import {
  isMetastream,
  metastreamOf,
  originalOf,
  readPolicy,
  softDeleteMarker,
  withTruncateBefore,
} from './stream-policy.ts';

/** How a write ended. `revision` is -1 and `position` 0 when there is none; `current` is -1 when there is no stream. */
export type WriteOutcome =
  | { kind: 'stored'; revision: number; position: number }
  | { kind: 'wrong-expected-revision'; current: number }
  | { kind: 'deleted' };

/** Writes to streams. Every promise resolves when its outcome is safe on disk and rejects with a StorageRefusal. */
export type StreamWriter = {
  append: (stream: string, expected: ExpectedRevision, events: readonly NewEvent[]) => Promise<WriteOutcome>;
  /** Hides the events of a stream; it may begin again. */
  softDelete: (stream: string, expected: ExpectedRevision) => Promise<WriteOutcome>;
  /** Ends a stream for ever. */
  tombstone: (stream: string, expected: ExpectedRevision) => Promise<WriteOutcome>;
};

const rememberedIds = 60_000;
const idsReadAtStart = 50_000;
const nothing = Buffer.alloc(0);
const outlived: AppendDecision = { kind: 'deleted' };

const metadataEvent = (data: Uint8Array): NewEvent => ({
  id: randomUUID(),
  type: '$metadata',
  contentType: 'application/json',
  data,
  customMetadata: nothing,
});
const tombstoneEvent = (): NewEvent => ({
  id: randomUUID(),
  type: '$streamDeleted',
  contentType: 'application/octet-stream',
  data: nothing,
  customMetadata: nothing,
});

/** A writer over a log, its index and its heads; `now` gives milliseconds since the epoch. */
export const createStreamWriter = (
  log: EventLog,
  index: StreamIndex,
  heads: StreamHeads,
  now: () => number,
): StreamWriter => {
  const recent = createRecentIds(rememberedIds);
  const learnIds = (): void => {
    recent.clear();
    for (let position = log.stored() - idsReadAtStart; position < log.stored();) {
      const chunk = log.after(Math.max(0, position), 1000);
      for (const { stream, revision, body } of chunk.entries) recent.add(idOf(body), stream, revision);
      position = chunk.end;
    }
  };
  learnIds();
  log.watch({ onRefused: learnIds });

  const decide = (head: StreamHead, expected: ExpectedRevision, ids: readonly string[]): AppendDecision =>
    decideAppend(
      {
        last: head.last,
        tombstoned: head.tombstoned,
        softDeleted: head.policy.softDeleted,
        hasMetadata: head.hasMetadata,
        revisionOf: (id) => recent.revisionOf(id, head.key),
        holds: (id, revision) => {
          if (recent.revisionOf(id, head.key) === revision) return true;
          const entry = log.at(index.at(head.key, revision) ?? 0);
          return entry !== undefined && idOf(entry.body) === id;
        },
      },
      expected,
      ids,
    );

  const rowsFor = (head: StreamHead, events: readonly NewEvent[], firstRevision: number): LogRow[] => {
    const created = now();
    if (head.last < 0 && !head.tombstoned) heads.claim(head);
    return events.map((event, at) => {
      const revision = firstRevision + at;
      recent.add(event.id, head.key, revision);
      return {
        stream: head.key,
        revision,
        encode: (position) => encodeRecord(event, { stream: head.name, revision, position, created }),
      };
    });
  };
  const advance = (head: StreamHead, events: readonly NewEvent[], position: number): void => {
    head.last += events.length;
    head.position = position;
    if (!isMetastream(head.name)) return;
    const original = heads.peek(originalOf(head.name));
    const data = events.at(-1)?.data;
    if (original === undefined || data === undefined) return;
    original.policy = readPolicy(data);
    original.hasMetadata = true;
    original.position = Math.max(original.position, position);
  };
  const write = (head: StreamHead, events: readonly NewEvent[]): number => {
    if (events.length === 0) return head.position;
    const position = log.append(rowsFor(head, events, head.last + 1));
    advance(head, events, position);
    return position;
  };
  /** Writing to a soft-deleted stream, or its metadata, brings it back from the given revision on. */
  const revive = (original: StreamHead, firstRevision: number, rawMetadata: Uint8Array): void => {
    const event = metadataEvent(withTruncateBefore(rawMetadata, firstRevision));
    write(heads.get(metastreamOf(original.name)), [event]);
  };
  const currentMetadata = (stream: string): Uint8Array => {
    const meta = heads.get(metastreamOf(stream));
    const entry = log.at(index.at(meta.key, meta.last) ?? 0);
    return entry === undefined ? nothing : decodeRecord(entry.body).data;
  };
  const writeAndRevive = (head: StreamHead, events: readonly NewEvent[]): number => {
    const original = isMetastream(head.name) ? heads.get(originalOf(head.name)) : head;
    const revives = original.policy.softDeleted && events.length > 0;
    const firstRevision = original.last + 1;
    const metadata = revives && original === head ? currentMetadata(original.name) : events.at(-1)?.data;
    const position = write(head, events);
    if (revives) revive(original, firstRevision, metadata ?? nothing);
    return position;
  };

  /** The metadata of a stream ends with it. */
  const isOutlived = ({ name }: StreamHead): boolean => isMetastream(name) && heads.get(originalOf(name)).tombstoned;

  const whenSafe = async (position: number, outcome: () => WriteOutcome): Promise<WriteOutcome> => {
    await log.settled(position);
    return outcome();
  };
  const run = (
    stream: string,
    expected: ExpectedRevision,
    ids: readonly string[],
    store: (head: StreamHead) => { revision: number; position: number },
  ): Promise<WriteOutcome> => {
    const head = heads.get(stream);
    const decision = isOutlived(head) ? outlived : decide(head, expected, ids);
    const { last } = head;
    switch (decision.kind) {
      case 'write': {
        const { revision, position } = store(head);
        return whenSafe(head.position, () => ({ kind: 'stored', revision, position }));
      }
      case 'already':
        return whenSafe(head.position, () => {
          const position = index.at(head.key, decision.last) ?? 0;
          return { kind: 'stored', revision: decision.last, position };
        });
      case 'wrong-expected-revision':
        return whenSafe(head.position, () => ({ kind: 'wrong-expected-revision', current: last }));
      case 'deleted':
        return whenSafe(head.position, () => ({ kind: 'deleted' }));
    }
  };
  return {
    append: (stream, expected, events) =>
      run(
        stream,
        expected,
        events.map(({ id }) => id),
        (head) => {
          const position = writeAndRevive(head, events);
          return { revision: head.last, position: events.length === 0 ? 0 : position };
        },
      ),
    softDelete: (stream, expected) =>
      run(stream, expected, [randomUUID()], (head) => {
        const marker = metadataEvent(Buffer.from(`{"$tb":${softDeleteMarker}}`));
        return { revision: head.last, position: write(heads.get(metastreamOf(stream)), [marker]) };
      }),
    tombstone: (stream, expected) =>
      run(stream, expected, [randomUUID()], (head) => {
        const position = log.append(rowsFor(head, [tombstoneEvent()], tombstoneRevision));
        head.tombstoned = true;
        head.position = position;
        return { revision: tombstoneRevision, position };
      }),
  };
};

import { parentPort, workerData } from 'node:worker_threads';
import { bringHome, diskFull, openForReading, openIndexForWriting } from './schema.ts';
import { viewStreamFilter } from './stream-filter.ts';
import type { IndexerData, IndexerReply, IndexerRequest } from './indexer.ts';

// A sorted batch touches each page of the index once, so a large batch is cheaper; memory bounds it.
const rowsPerRound = 50_000;
/** From so many events on a missing index is built in one go. */
const eventsWorthSorting = 100_000;

const port = parentPort;
if (port === null) throw new Error('the indexer runs as a worker thread');
const { logPath, indexPath, filter: memory } = workerData as IndexerData;
const filter = viewStreamFilter(memory);
const index = openIndexForWriting(indexPath);
const log = openForReading(logPath, 4000);
const rowsAfter = log.prepare(
  'select position, stream, revision, body is null as gone from events where position > ? order by position limit ?',
);
const lastOfLog = log.prepare('select coalesce(max(position), 0) as position from events');
const insert = index.prepare('insert or replace into stream_events (stream, revision, position) values (?, ?, ?)');
const setProgress = index.prepare('update progress set position = ?');

type Row = { position: number; stream: number; revision: number; gone: number };
let progress = Number(index.prepare('select position from progress').get()?.['position']);
const reply = (message: IndexerReply): void => port.postMessage(message);

const byStream = (one: Row, other: Row): number => one.stream - other.stream || one.revision - other.revision;

/** Indexes the next rows and answers how many; none when there is no room on the disk, which a later round may find. */
const indexRound = (): number => {
  const rows = rowsAfter.all(progress, rowsPerRound) as Row[];
  const end = rows.at(-1)?.position;
  if (end === undefined) return 0;
  try {
    index.exec('begin');
    for (const { stream, revision, position, gone } of rows.sort(byStream)) {
      if (gone === 1) continue;
      insert.run(stream, revision, position);
      filter.add(stream);
    }
    setProgress.run(end);
    index.exec('commit');
  } catch (error) {
    if (index.isTransaction) index.exec('rollback');
    if ((error as { errcode?: number }).errcode !== diskFull) throw error;
    return 0;
  }
  progress = end;
  return rows.length;
};

const startOver = (): void => {
  index.exec('begin; delete from stream_events; update progress set position = 0; commit;');
  progress = 0;
};

// An index that knows more than the log belongs to another log, or the log lost its end.
const ahead = progress - Number(lastOfLog.get()?.['position']);
if (ahead > 0) startOver();
/** Builds a missing index in one go: sorted, each page of it is written once. */
const build = (): number => {
  const last = Number(lastOfLog.get()?.['position']);
  if (progress > 0 || last < eventsWorthSorting) return 0;
  reply({ kind: 'progress', position: 0 });
  index.exec(`attach '${logPath.replaceAll("'", "''")}' as log`);
  try {
    index.exec('begin');
    index
      .prepare(
        `insert into stream_events (stream, revision, position)
        select stream, revision, position from log.events where position <= ? and body is not null order by stream, revision`,
      )
      .run(last);
    setProgress.run(last);
    index.exec('commit');
    progress = last;
    return last;
  } finally {
    if (index.isTransaction) index.exec('rollback');
    index.exec('detach log');
  }
};
let caughtUp = build();
for (let rows = 1; rows > 0;) {
  rows = indexRound();
  caughtUp += rows;
  if (rows === rowsPerRound) reply({ kind: 'progress', position: progress });
}
reply({ kind: 'ready', position: progress, caughtUp, ahead: Math.max(0, ahead) });

const streamsAfter = index.prepare(
  'select distinct stream from stream_events where stream > ? order by stream limit 5000',
);
let closing = false;
/** Shows the filter every stream of the index, in pieces so that requests come in between. */
const fillFilter = (after: number): void => {
  if (closing) return;
  const streams = streamsAfter.all(after) as { stream: number }[];
  for (const { stream } of streams) filter.add(stream);
  const last = streams.at(-1);
  if (last === undefined) reply({ kind: 'filtered' });
  else setImmediate(fillFilter, last.stream);
};
fillFilter(-1);

port.on('message', (request: IndexerRequest) => {
  if (request.kind === 'index') {
    while (indexRound() === rowsPerRound);
    reply({ kind: 'indexed', position: progress });
    return;
  }
  closing = true;
  while (indexRound() > 0);
  log.close();
  bringHome(index);
  index.close();
  reply({ kind: 'closed' });
  port.close();
});

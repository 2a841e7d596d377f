import { hash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Writable } from 'node:stream';
import { lockDataDir } from '../data-lock.ts';
import { logFile, openForReading, openLogForWriting } from '../log/schema.ts';
import { encodeRecord } from '../wire/record.ts';
import { readEventLine, writeEventLine, type LogRowOut } from './event-line.ts';
import { OperationFailed } from './operation.ts';

const rowsPerTransaction = 10_000;

/** Writes every event as a line of JSON, while a node runs or not; answers how many lines. */
export const exportEvents = async (dataDir: string, to: Writable): Promise<number> => {
  const path = join(dataDir, logFile);
  if (!existsSync(path)) throw new OperationFailed(`there is no log in ${dataDir}`);
  const log = openForReading(path, 8000);
  try {
    const page = log.prepare(
      'select position, stream, revision, body from events where position > ? order by position limit 500',
    );
    for (let position = 0; ;) {
      const rows = page.all(position) as LogRowOut[];
      const last = rows.at(-1);
      if (last === undefined) return position;
      if (!to.write(rows.map((row) => `${writeEventLine(row)}\n`).join(''))) await once(to, 'drain');
      position = last.position;
    }
  } finally {
    log.close();
  }
};

const importInto = async (log: DatabaseSync, lines: AsyncIterable<string>): Promise<number> => {
  const insert = log.prepare('insert into events (position, stream, revision, sum, body) values (?, ?, ?, ?, ?)');
  let last = 0;
  log.exec('begin');
  for await (const text of lines) {
    if (text.trim() === '') continue;
    const { position, key, revision, event } = readEventLine(text);
    if (position !== last + 1) throw new OperationFailed(`position ${last + 1} is missing before ${position}`);
    if (event === undefined) insert.run(position, key, revision, null, null);
    else {
      const body = encodeRecord(event, { ...event, revision, position });
      insert.run(position, key, revision, hash('sha256', body, 'buffer').subarray(0, 16), body);
    }
    last = position;
    if (last % rowsPerTransaction === 0) log.exec('commit; begin');
  }
  log.exec('commit');
  return last;
};

/** Fills an empty data directory from lines of JSON, each event where and when it was; answers how many lines. */
export const importEvents = async (dataDir: string, lines: AsyncIterable<string>): Promise<number> => {
  const lock = lockDataDir(dataDir);
  const path = join(dataDir, logFile);
  if (existsSync(path)) {
    lock.release(true);
    throw new OperationFailed(`${dataDir} already holds a log`);
  }
  const log = openLogForWriting(path);
  let whole = false;
  try {
    const count = await importInto(log, lines);
    whole = true;
    return count;
  } finally {
    log.close();
    // Half a log would pass for a whole one.
    if (!whole) for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true });
    lock.release(true);
  }
};

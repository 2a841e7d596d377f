import { DatabaseSync } from 'node:sqlite';

/** The log: the truth. `sum` is the start of the SHA-256 of `body`; a scavenged event keeps its row, without a body. */
const logSchema = `
  create table if not exists events (
    position integer primary key, stream integer not null, revision integer not null, sum blob, body blob) strict;`;

/** The index: where each stream's events are. Made from the log, and made again when it is lost. */
const indexSchema = `
  create table if not exists stream_events (
    stream integer, revision integer, position integer not null, primary key (stream, revision)) strict, without rowid;
  create table if not exists progress (one integer primary key check (one = 1), position integer not null) strict;
  insert or ignore into progress values (1, 0);`;

/** What SQLite answers when there is no room left. */
export const diskFull = 13;

/** File names inside a data directory. */
export const logFile = 'events.db';
export const indexFile = 'index.db';

const currentVersion = 1;

/** Makes the tables of a new file. An existing one is not written: it must open on a full disk too. */
const applySchema = (file: DatabaseSync, path: string, schema: string): void => {
  const version = Number(file.prepare('pragma user_version').get()?.['user_version']);
  if (version > currentVersion) throw new Error(`${path} was written by a newer version of this program`);
  if (version < currentVersion) file.exec(`begin; ${schema} pragma user_version = ${currentVersion}; commit`);
};

const openFile = (path: string, schema: string, pragmas: string): DatabaseSync => {
  const file = new DatabaseSync(path, { timeout: 10_000 });
  file.exec(`pragma journal_mode = wal; ${pragmas}`);
  applySchema(file, path, schema);
  return file;
};

/** Brings the write-ahead log of a file home, as far as the disk has room for it. */
export const bringHome = (file: DatabaseSync): void => {
  try {
    file.exec('pragma wal_checkpoint(truncate)');
  } catch (error) {
    // What is not home is still safe in the write-ahead log.
    if ((error as { errcode?: number }).errcode !== diskFull) throw error;
  }
};

/** Opens the log for writing: a commit returns when the disk has it. */
export const openLogForWriting = (path: string): DatabaseSync =>
  openFile(
    path,
    logSchema,
    'pragma synchronous = full; pragma wal_autocheckpoint = 2000; pragma journal_size_limit = 67108864; pragma cache_size = -4000;',
  );

/** Opens the index for writing; a crash may lose its last transactions, never its consistency. */
export const openIndexForWriting = (path: string): DatabaseSync =>
  openFile(path, indexSchema, 'pragma synchronous = normal; pragma cache_size = -8000;');

/** Opens either file for reading, with a page cache of so many KiB. */
export const openForReading = (path: string, cacheKib: number): DatabaseSync => {
  const file = new DatabaseSync(path, { timeout: 10_000, readOnly: true });
  file.exec(`pragma cache_size = -${cacheKib}`);
  return file;
};

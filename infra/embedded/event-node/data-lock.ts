import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { diskFull } from './log/schema.ts';

/** Another process works in the data directory. */
export class DirectoryInUse extends Error {}

/** Ownership of a data directory. `previous` tells how the last owner left it. */
export type DataLock = {
  previous: 'none' | 'clean' | 'crashed';
  /** Gives the directory back; `clean` when everything was closed in order. */
  release: (clean: boolean) => void;
};

const busy = 5;

/** Reads how the last run ended and notes that one runs now, unless there is no room for the note. */
const noteStart = (file: DatabaseSync): DataLock['previous'] => {
  try {
    file.exec(
      'create table if not exists run (one integer primary key check (one = 1), clean integer not null) strict',
    );
    const row = file.prepare('select clean from run').get();
    file.exec('insert or replace into run values (1, 0); commit');
    return row === undefined ? 'none' : row['clean'] === 1 ? 'clean' : 'crashed';
  } catch (error) {
    if ((error as { errcode?: number }).errcode !== diskFull) throw error;
    if (file.isTransaction) file.exec('rollback');
    return 'crashed';
  }
};

const noteEnd = (file: DatabaseSync): void => {
  try {
    file.exec('insert or replace into run values (1, 1)');
  } catch (error) {
    // Without the note the next start only looks harder.
    if ((error as { errcode?: number }).errcode !== diskFull) throw error;
  }
};

/** Takes a data directory for this process; throws DirectoryInUse when another has it. */
export const lockDataDir = (dataDir: string): DataLock => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = new DatabaseSync(join(dataDir, 'lock.db'));
  try {
    // Held until the file closes; the operating system lets go when the process dies.
    file.exec('pragma locking_mode = exclusive; pragma journal_mode = delete; begin exclusive');
    const previous = noteStart(file);
    return {
      previous,
      release: (clean) => {
        if (clean) noteEnd(file);
        file.close();
      },
    };
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode !== busy) throw error;
    throw new DirectoryInUse(`another process works in ${dataDir}`, { cause: error });
  }
};

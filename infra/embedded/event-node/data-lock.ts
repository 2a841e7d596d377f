import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another process works in the data directory. */
export class DirectoryInUse extends Error {}

/** Ownership of a data directory. `previous` tells how the last owner left it. */
export type DataLock = {
  previous: 'none' | 'clean' | 'crashed';
  /** Gives the directory back; `clean` when everything was closed in order. */
  release: (clean: boolean) => void;
};

const busy = 5;

/** Takes a data directory for this process; throws DirectoryInUse when another has it. */
export const lockDataDir = (dataDir: string): DataLock => {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const file = new DatabaseSync(join(dataDir, 'lock.db'));
  try {
    // Held until the file closes; the operating system lets go when the process dies.
    file.exec(`
      pragma locking_mode = exclusive; pragma journal_mode = delete; begin exclusive;
      create table if not exists run (one integer primary key check (one = 1), clean integer not null) strict;`);
    const row = file.prepare('select clean from run').get();
    file.exec('insert or replace into run values (1, 0); commit;');
    return {
      previous: row === undefined ? 'none' : row['clean'] === 1 ? 'clean' : 'crashed',
      release: (clean) => {
        if (clean) file.exec('update run set clean = 1');
        file.close();
      },
    };
  } catch (error) {
    file.close();
    if ((error as { errcode?: number }).errcode !== busy) throw error;
    throw new DirectoryInUse(`another process works in ${dataDir}`, { cause: error });
  }
};

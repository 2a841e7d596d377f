import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Another process runs on the same data directory. */
class DataDirInUseError extends Error {
  constructor(dataDir: string) {
    super(`The data directory ${dataDir} is in use by another running server. Stop that one or set DATA_DIR.`);
    this.name = 'DataDirInUseError';
  }
}

/**
 * Makes the directory and holds it for this process. The lock is an open SQLite transaction: the operating system
 * releases it when the process ends in whatever way, so no stale lock is ever left behind. Throws DataDirInUseError.
 */
export const lockDataDir = (dataDir: string): (() => void) => {
  mkdirSync(dataDir, { recursive: true });
  const database = new DatabaseSync(join(dataDir, 'lock.sqlite'));
  try {
    database.exec('pragma busy_timeout = 0; begin exclusive');
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked/.test(error.message)) throw new DataDirInUseError(dataDir);
    throw error;
  }
  return () => database.close();
};

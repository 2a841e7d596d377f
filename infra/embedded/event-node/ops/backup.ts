import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { lockDataDir } from '../data-lock.ts';
import { logFile, openForReading } from '../log/schema.ts';
import { OperationFailed } from './operation.ts';
import { verify, type Verification } from './verify.ts';

const syncPath = (path: string): void => {
  const file = openSync(path, 'r');
  fsyncSync(file);
  closeSync(file);
};

const copyLog = (from: string, to: string): void => {
  const half = `${to}.half`;
  rmSync(half, { force: true });
  const log = openForReading(from, 4000);
  try {
    // One read transaction: the copy is the log at one moment, however long it takes and whatever is written meanwhile.
    log.prepare('vacuum into ?').run(half);
  } finally {
    log.close();
  }
  syncPath(half);
  renameSync(half, to);
  syncPath(dirname(to));
};

const logOf = (dataDir: string): string => {
  const path = join(dataDir, logFile);
  if (!existsSync(path)) throw new OperationFailed(`there is no log in ${dataDir}`);
  return path;
};
const freePlace = (directory: string): string => {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, logFile);
  if (existsSync(path)) throw new OperationFailed(`${directory} already holds a log`);
  return path;
};

/** Copies the log into another directory, while a node runs or not, and verifies the copy. */
export const backup = (dataDir: string, to: string): Verification => {
  copyLog(logOf(dataDir), freePlace(to));
  return verify(to);
};

/** Makes a data directory of a backup, after verifying it. The index is made at the first start. */
export const restore = (from: string, dataDir: string): Verification => {
  const found = verify(from);
  if (found.faults.length > 0) return found;
  const lock = lockDataDir(dataDir);
  try {
    copyLog(logOf(from), freePlace(dataDir));
    return verify(dataDir);
  } finally {
    lock.release(true);
  }
};

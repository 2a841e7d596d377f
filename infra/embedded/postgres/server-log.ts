import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Postgres' own log, open for this start: a descriptor to hand to the server, and what this start has written. */
export type ServerLog = Readonly<{ path: string; fd: number; tail: (lines: number) => string; close: () => void }>;

const LARGEST = 5 * 1024 * 1024;
const READ = 64 * 1024;

const rotate = (path: string): void => {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size < LARGEST) return;
  rmSync(`${path}.2`, { force: true });
  if (statSync(`${path}.1`, { throwIfNoEntry: false }) !== undefined) renameSync(`${path}.1`, `${path}.2`);
  renameSync(path, `${path}.1`);
};

const readFrom = (path: string, start: number): string => {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const from = Math.max(start, size - READ);
    const buffer = Buffer.alloc(Math.max(0, size - from));
    return buffer.toString('utf8', 0, readSync(fd, buffer, 0, buffer.length, from));
  } finally {
    closeSync(fd);
  }
};

/** Opens `postgres.log` in the home for appending. A file over 5 MB is moved on first; two old ones are kept. */
export const openServerLog = (home: string): ServerLog => {
  const path = join(home, 'postgres.log');
  rotate(path);
  const fd = openSync(path, 'a', 0o600);
  const start = fstatSync(fd).size;
  const tail = (lines: number): string => readFrom(path, start).trimEnd().split('\n').slice(-lines).join('\n');
  return { path, fd, tail, close: () => closeSync(fd) };
};

import { readdirSync, readlinkSync } from 'node:fs';

const target = (descriptor: string): string => {
  try {
    return readlinkSync(descriptor);
  } catch {
    // Closed since the list was made.
    return '';
  }
};

/** How many files below a directory a process has open, with or without a name. */
export const openFilesIn = (directory: string, pid: number | 'self' = 'self'): number =>
  readdirSync(`/proc/${pid}/fd`).filter((name) => target(`/proc/${pid}/fd/${name}`).startsWith(`${directory}/`)).length;

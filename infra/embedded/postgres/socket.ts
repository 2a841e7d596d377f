import { rmSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from './home.ts';
import { nameOf, ownDirectory } from './own-directory.ts';

/** A name only: no port is opened. It is a part of the socket's file name. */
export const PORT = 5432;

/** The kernel's limits for a socket address, without the closing zero. */
const LONGEST = process.platform === 'darwin' ? 103 : 107;
const fileIn = (directory: string): string => join(directory, `.s.PGSQL.${PORT}`);

/** The directory for the server's socket: in its home, or, where that path is too long for a socket, a short one. */
export type SocketPlace = Readonly<{ directory: string; release: () => void }>;

/** Makes the 0700 directory that only the server's account (and root) can enter, with no left-over socket in it. */
export const prepareSocket = ({ path, account }: Home, fallbackRoot: string): SocketPlace => {
  const inside = join(path, 'socket');
  const fits = Buffer.byteLength(fileIn(inside)) <= LONGEST;
  const directory = fits ? inside : join(fallbackRoot, `plantocode-s-${nameOf(path)}`);
  ownDirectory(directory, 0o700, account);
  // A stale lock file here would stop the server when its process id is in use again by another program.
  for (const file of [fileIn(directory), `${fileIn(directory)}.lock`]) rmSync(file, { force: true });
  const release = (): void => {
    if (fits) return;
    try {
      rmdirSync(directory);
    } catch {
      // Not empty: a server is using it again.
    }
  };
  return { directory, release };
};

import { chmodSync, chownSync, lstatSync, mkdirSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { ownAccount, type Account } from './account.ts';

/**
 * Makes a directory below a place that others may write to, or takes the one that is there. Throws when that is a link,
 * belongs to somebody else or lets others write, for then a stranger could have laid it.
 */
export const ownDirectory = (path: string, mode: number, owner: Account = ownAccount()): void => {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  const known = found.uid === ownAccount().uid || found.uid === owner.uid;
  if (!found.isDirectory() || !known || (found.mode & 0o022) !== 0)
    throw new Error(`${path} exists and is not a directory of ours alone; remove it or choose another data directory.`);
  chmodSync(path, mode);
  if (found.uid !== owner.uid) chownSync(path, owner.uid, owner.gid);
};

/** A short name for a path, the same at every start. */
export const nameOf = (path: string): string => createHash('sha256').update(path).digest('hex').slice(0, 16);

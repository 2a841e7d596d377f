import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';

/** The user and group that the Postgres processes run as. */
export type Account = Readonly<{ uid: number; gid: number }>;

/** "nobody" on Linux. It exists everywhere and owns nothing, so no user has to be added to the machine. */
const NOBODY: Account = { uid: 65534, gid: 65534 };

/** The account of this process; throws where the system has no numeric users, for there is no Unix socket to trust there. */
export const ownAccount = (): Account => {
  if (process.geteuid === undefined || process.getegid === undefined)
    throw new Error(`Embedded Postgres does not run on ${process.platform}; set DATABASE_URL.`);
  return { uid: process.geteuid(), gid: process.getegid() };
};

/**
 * The account to run Postgres as: our own, or, because Postgres refuses root, the owner of the existing cluster, or
 * "nobody".
 */
export const serverAccount = (clusterDir: string): Account => {
  const own = ownAccount();
  if (own.uid !== 0) return own;
  const owner = statSync(clusterDir, { throwIfNoEntry: false });
  return owner === undefined || owner.uid === 0 ? NOBODY : { uid: owner.uid, gid: owner.gid };
};

/** Whether the account can enter a directory. It is tried, not computed: access lists and mounts have their say too. */
export const canEnter = (account: Account, directory: string): boolean =>
  spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', directory], { ...account, cwd: '/', stdio: 'ignore', env: {} })
    .status === 0;

import type { Account } from './account.ts';

/** What the keeper is started with: the server's command, and the file in which the server notes its process id. */
export type KeeperOrder = Readonly<{
  command: string;
  args: readonly string[];
  env: Readonly<Record<string, string>>;
  account: Account;
  pidFile: string;
}>;

/** What the keeper tells its parent. */
export type KeeperReport =
  | Readonly<{ kind: 'started'; pid: number }>
  | Readonly<{ kind: 'exited'; code: number | null; signal: NodeJS.Signals | null }>;

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import type { Account } from '../../infra/embedded/postgres/account.ts';
import type { EmbeddedPostgres, PostgresOptions } from '../../infra/embedded/postgres/launch.ts';

/** A server held by another process, so that the process can be killed. */
export type Held = Readonly<{ process: ChildProcess; server: Omit<EmbeddedPostgres, 'stop' | 'exited'> }>;
type Answer = Held['server'] | Readonly<{ failed: string }>;

const program = fileURLToPath(new URL('./hold.ts', import.meta.url));

/** Starts the holding program, without waiting for its server. */
export const forkHolder = (options: Omit<PostgresOptions, 'logger'>, account?: Account): ChildProcess =>
  fork(program, [JSON.stringify(options)], {
    ...account,
    cwd: '/',
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });

/** Starts a server in another process, which may run as another user; throws with that process' error. */
export const hold = async (options: Omit<PostgresOptions, 'logger'>, account?: Account): Promise<Held> => {
  const child = forkHolder(options, account);
  const [answer] = (await once(child, 'message')) as [Answer];
  if ('failed' in answer) throw new Error(answer.failed);
  return { process: child, server: answer };
};

/** Kills a process with -9 and waits until it is reaped. */
export const kill9 = async (child: ChildProcess): Promise<void> => {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
};

/** Waits for a condition, 10 s at most. */
export const until = async (what: string, holds: () => boolean): Promise<void> => {
  const end = performance.now() + 10_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}.`);
    await pause(10);
  }
};

/** Asks one statement on a connection of its own and answers the rows. */
export const ask = async (config: pg.ClientConfig | string, statement: string): Promise<readonly unknown[]> => {
  const client = new pg.Client(config);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
};

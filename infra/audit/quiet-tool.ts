import { fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';

/** How a tool ended: its exit code (null: it was killed) and what it printed. */
export type ToolEnd = Readonly<{ code: number | null; said: string }>;

type Options = Readonly<{
  /** The program, and what it is told. */
  program: string;
  args: readonly string[];
  env: Readonly<Record<string, string | undefined>>;
}>;

/**
 * Runs a program of ours as a process of its own with a low priority, which takes neither memory nor time from those who are
 * served. Ends it when `signal` aborts.
 */
export const quietly = async ({ program, args, env }: Options, signal: AbortSignal): Promise<ToolEnd> => {
  const child = fork(program, args, { env, stdio: ['ignore', 'pipe', 'ignore', 'ipc'], signal, killSignal: 'SIGKILL' });
  let said = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  // One that was ended by the signal says so here too.
  child.on('error', () => undefined);
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
};

import { fork } from 'node:child_process';
import { constants, setPriority } from 'node:os';

/** How a tool ended: its exit code (null: it was killed, or never began), what it printed, and the last it complained of. */
export type ToolEnd = Readonly<{ code: number | null; said: string; complained: string }>;

const MOST_KEPT = 1_000;

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
  const child = fork(program, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'], signal, killSignal: 'SIGKILL' });
  let [said, complained] = ['', ''];
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (said += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (complained = (complained + text).slice(-MOST_KEPT)));
  try {
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
  } catch {
    // It has ended already, or may not be slowed down here.
  }
  const code = await new Promise<number | null>((resolve) => {
    child.once('close', resolve);
    // One that was ended by the signal says so here too, and is closed a moment later.
    child.on('error', () => {
      if (child.pid === undefined) resolve(null);
    });
  });
  return { code, said, complained };
};

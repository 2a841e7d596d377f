import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { KeeperOrder, KeeperReport } from './keeper-messages.ts';
import type { Process } from './processes.ts';

/** How the server ended; `asked` tells a stop from a crash. */
export type Exit = Readonly<{ code: number | null; signal: NodeJS.Signals | null; asked: boolean }>;

/** A server process under its keeper. `pid` is undefined when it could not be started; `exited` never rejects. */
export type KeptServer = Readonly<{
  pid: Promise<number | undefined>;
  keeperPid: number | undefined;
  exited: Promise<Exit>;
  stop: () => Promise<void>;
}>;

const KEEPER = fileURLToPath(new URL('./keeper.ts', import.meta.url));

/** Whether a process is a keeper of this program. */
export const isKeeper = ({ command }: Process): boolean => command.includes(KEEPER);

/** Whether the application that started this keeper still lives: the system gives an orphan another parent. */
export const isAttended = ({ command, parent }: Process): boolean => command.at(-1) === String(parent);

/**
 * Starts a server under a keeper that ends it when this process is gone. The server writes to `logFd`. When the keeper
 * is lost, `afterLoss` is called with the server's process id before `exited` resolves.
 */
export const keepServer = (
  order: KeeperOrder,
  logFd: number,
  afterLoss: (pid: number) => Promise<void>,
): KeptServer => {
  const keeper = fork(KEEPER, [JSON.stringify(order), String(process.pid)], {
    // A terminal's Ctrl-C goes to the whole group; the server must outlive the application's own orderly stop.
    detached: true,
    cwd: '/',
    env: {},
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', logFd, logFd, 'ipc'],
  });
  const started = Promise.withResolvers<number | undefined>();
  const ended = Promise.withResolvers<Exit>();
  let asked = false;
  let pid: number | undefined;
  let last: Omit<Exit, 'asked'> | undefined;

  keeper.on('message', (message) => {
    const report = message as KeeperReport;
    if (report.kind === 'exited') last = { code: report.code, signal: report.signal };
    else started.resolve((pid = report.pid));
  });
  const finish = async (code: number | null, signal: NodeJS.Signals | null): Promise<void> => {
    started.resolve(undefined);
    // Without the server's own report the keeper was killed: the server may still be there, with nobody to stop it.
    if (last === undefined && pid !== undefined) await afterLoss(pid).catch(() => undefined);
    ended.resolve({ ...(last ?? { code, signal }), asked });
  };
  keeper.on('error', () => void finish(null, null));
  keeper.on('exit', (code, signal) => void finish(code, signal));

  const stop = async (): Promise<void> => {
    asked = true;
    if (keeper.connected) keeper.send('stop', () => undefined);
    await ended.promise;
  };
  return { pid: started.promise, keeperPid: keeper.pid, exited: ended.promise, stop };
};

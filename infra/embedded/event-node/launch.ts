import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Where the launcher tells what the node says on stderr: a pino logger fits. */
export type LaunchLogger = { debug: (fields: object, message: string) => void };

export type LaunchedNode = {
  /** What a client connects to. */
  url: string;
  pid: number;
  /** Where health and metrics are, when asked for by `--http-port`. */
  httpUrl: string | undefined;
  /** Resolves when the process is gone, for whatever reason. */
  exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Asks the node to end in order and resolves when it is gone. */
  stop: () => Promise<void>;
};

export type LaunchOptions = {
  dataDir: string;
  /** A free one when missing. */
  port?: number;
  /** More arguments of the program, see `--help`. */
  args?: readonly string[];
  logger?: LaunchLogger;
};

type Ready = { type: 'ready'; port: number; httpPort?: number };

/** Starts an event node as a child process that ends when this one does; rejects when it does not become ready. */
export const startEventNode = async (options: LaunchOptions): Promise<LaunchedNode> => {
  const program = fileURLToPath(new URL('main.ts', import.meta.url));
  const args = ['--data-dir', options.dataDir, '--port', String(options.port ?? 0), ...(options.args ?? [])];
  const child = fork(program, args, {
    execPath: process.execPath,
    // Ctrl-C in a terminal goes to the whole group: whoever started the node ends it, after its own last appends.
    detached: true,
    // Short-lived buffers fill the young generation; a small one keeps the process small and costs nothing measurable.
    execArgv: ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4096);
    options.logger?.debug({ node: text.trimEnd() }, 'event node');
  });
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  const { port, httpPort } = await new Promise<Ready>((resolve, reject) => {
    child.once('message', (message: Ready) => resolve(message));
    child.once('error', reject);
    void exited.then(({ code, signal }) =>
      reject(new Error(`the event node ended (${code ?? signal ?? 'unknown'}) before it was ready: ${said.trim()}`)),
    );
  });
  return {
    url: `esdb://127.0.0.1:${port}?tls=${args.includes('--tls-cert') ? 'true' : 'false'}`,
    pid: child.pid ?? 0,
    httpUrl: httpPort === undefined ? undefined : `http://127.0.0.1:${httpPort}`,
    exited,
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
};

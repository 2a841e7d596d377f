import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NODE_FLAGS = ['--disable-warning=ExperimentalWarning'];
const READY_LIMIT_MS = 60_000;

type Env = Readonly<Record<string, string>>;

/** What a tool printed, and how it ended. */
export type ToolRun = Readonly<{ code: number; stdout: string; stderr: string }>;

/** The whole server as its own process, on a data directory of its own that outlives it. */
export type RunningServer = Readonly<{
  url: string;
  dataDir: string;
  pid: number;
  log: () => string;
  exited: Promise<number | null>;
  isRunning: () => boolean;
  /** Ends it as a deploy does. Resolves with the exit code. */
  terminate: () => Promise<number | null>;
  /** Ends it as Ctrl-C does. Resolves with the exit code. */
  stop: () => Promise<number | null>;
  /** Ends it as a crash does. */
  kill: () => Promise<void>;
}>;

/** Waits until `check` answers something; fails with `what` when that takes too long. */
export const until = async <T>(
  what: string,
  check: () => Promise<T | undefined> | T | undefined,
  limitMs = 30_000,
): Promise<T> => {
  const end = performance.now() + limitMs;
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error(`waited in vain: ${what}`);
    await delay(50);
  }
};

/** Runs one of the programs in src/cli on a server's data directory. */
export const runTool = async (dataDir: string, tool: string, args: readonly string[]): Promise<ToolRun> => {
  const child = spawn(process.execPath, [...NODE_FLAGS, join(ROOT, 'src', 'cli', `${tool}.ts`), ...args], {
    cwd: ROOT,
    env: { ...process.env, DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code: code ?? -1, stdout, stderr };
};

/** A temporary data directory, removed by `remove`. */
export const temporaryDataDir = (): Readonly<{ path: string; remove: () => void }> => {
  const path = mkdtempSync(join(tmpdir(), 'server-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
};

const launch = (env: Env): ChildProcess =>
  spawn(process.execPath, [...NODE_FLAGS, join(ROOT, 'src', 'main.ts')], {
    cwd: ROOT,
    // A group of its own, so that `stop` can do what Ctrl-C in a terminal does: signal all of it.
    detached: true,
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

const isReady = async (url: string): Promise<true | undefined> => {
  const answer = await fetch(`${url}/health/ready`).catch(() => undefined);
  return answer?.status === 200 ? true : undefined;
};

/** Starts the server and waits until it is ready. Rejects with its log when it ends before that. */
export const startServer = async (dataDir: string, env: Env = {}): Promise<RunningServer> => {
  // One that comes back at its old address is given its port.
  const port = env['PORT'] === undefined ? await freePort() : Number(env['PORT']);
  const child = launch({ PORT: String(port), DATA_DIR: dataDir, RATE_LIMIT_MAX_REQUESTS: '100000', ...env });
  let said = '';
  const note = (text: string): void => {
    said = (said + text).slice(-200_000);
  };
  child.stdout?.setEncoding('utf8').on('data', note);
  child.stderr?.setEncoding('utf8').on('data', note);
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const url = `http://127.0.0.1:${port}`;
  const gone = exited.then((code) => Promise.reject(new Error(`the server ended (${code}) while starting:\n${said}`)));
  gone.catch(() => undefined);
  await Promise.race([until(`ready at ${url}`, () => isReady(url), READY_LIMIT_MS), gone]);
  return {
    url,
    dataDir,
    pid: child.pid ?? 0,
    log: () => said,
    exited,
    isRunning: () => child.exitCode === null && child.signalCode === null,
    terminate: () => {
      child.kill('SIGTERM');
      return exited;
    },
    stop: () => {
      process.kill(-(child.pid ?? 0), 'SIGINT');
      return exited;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
};

/** What the running server noted of its parts. */
export const partsOf = (dataDir: string): Readonly<{ eventStoreUrl: string; databaseUrl: string }> =>
  JSON.parse(readFileSync(join(dataDir, 'runtime.json'), 'utf8')) as { eventStoreUrl: string; databaseUrl: string };

/** Signs a person in with the tool that walks the real login, and gives the token. */
export const signIn = async (
  server: Pick<RunningServer, 'url' | 'dataDir'>,
  email: string,
  ...more: readonly string[]
): Promise<string> => {
  const { code, stdout, stderr } = await runTool(server.dataDir, 'login', [
    '--email',
    email,
    '--url',
    server.url,
    ...more,
  ]);
  if (code !== 0) throw new Error(`login failed: ${stderr}`);
  return stdout.trim();
};

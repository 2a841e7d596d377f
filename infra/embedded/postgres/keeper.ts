// The process between the application and Postgres: it stops the server when the application goes away, however it goes.
import { spawn } from 'node:child_process';
import type { KeeperOrder, KeeperReport } from './keeper-messages.ts';

/** How long a fast shutdown may take before it becomes an immediate one, and that a kill (milliseconds). */
const FAST_LIMIT = 30_000;
const IMMEDIATE_LIMIT = 5_000;

const order = JSON.parse(process.argv[2] ?? '{}') as KeeperOrder;

/** Tells the parent, when there is one, and then goes on: leaving before the message is out would lose it. */
const report = (message: KeeperReport, then: () => void): void => {
  if (process.connected && process.send !== undefined) process.send(message, then);
  else then();
};

const server = spawn(order.command, order.args, {
  ...order.account,
  env: order.env,
  cwd: '/',
  stdio: ['ignore', 'inherit', 'inherit'],
});

// When the keeper itself is killed nobody reads its messages; the end of this pipe is what is left to notice. The shell
// is in a session of its own, so that a kill of our group does not take it along.
const guard = spawn(
  '/bin/sh',
  [
    '-c',
    'read -r _; read -r pid < "$2" && [ "$pid" = "$1" ] && kill -INT "$1"',
    'guard',
    String(server.pid),
    order.pidFile,
  ],
  { ...order.account, env: {}, cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] },
);
guard.on('error', (error) => console.error(`no guard for the server: ${error.message}`));

let stopping = false;
const stop = (): void => {
  if (stopping) return;
  stopping = true;
  server.kill('SIGINT');
  setTimeout(() => server.kill('SIGQUIT'), FAST_LIMIT);
  setTimeout(() => server.kill('SIGKILL'), FAST_LIMIT + IMMEDIATE_LIMIT);
};

const leave = (code: number): void => {
  guard.kill('SIGKILL');
  if (process.connected) process.disconnect();
  process.exit(code);
};

server.on('spawn', () => report({ kind: 'started', pid: server.pid ?? 0 }, () => undefined));
server.on('error', (error) => {
  console.error(`cannot start ${order.command}: ${error.message}`);
  leave(1);
});
server.on('exit', (code, signal) => {
  report({ kind: 'exited', code, signal }, () => leave(0));
});

process.on('message', (message) => {
  if (message === 'stop') stop();
});
process.on('disconnect', stop);
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, stop);

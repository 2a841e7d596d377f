import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Context } from 'mocha';
import { freePort } from './free-port.ts';

const program = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((directory) => join(directory, 'redis-server'))
  .find((path) => existsSync(path));

export type RedisServer = Readonly<{ url: string; start: () => Promise<void>; stop: () => Promise<void> }>;

/** A Redis of its own on a free port, in memory only, which can be stopped and started again. */
const redisOn = (path: string, port: number, directory: string): RedisServer => {
  let running: ReturnType<typeof spawn> | undefined;
  const start = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const flags = [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--dir',
        directory,
        '--save',
        '',
        '--appendonly',
        'no',
      ];
      running = spawn(path, flags, { stdio: ['ignore', 'pipe', 'ignore'] });
      running.once('error', reject).once('exit', () => reject(new Error('redis-server ended')));
      running.stdout?.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('Ready to accept connections')) resolve();
      });
    });
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      const child = running;
      running = undefined;
      if (child === undefined || child.exitCode !== null) return resolve();
      child.once('exit', () => resolve());
      child.kill('SIGKILL');
    });
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    stop: async () => {
      await stop();
    },
  };
};

/**
 * Starts the `redis-server` on PATH for one suite. Where there is none the suite is skipped, and says so: the memory
 * adapters are tested by the same suite everywhere.
 */
export const startRedis = async (suite: Context): Promise<RedisServer & Readonly<{ remove: () => Promise<void> }>> => {
  if (program === undefined) {
    console.warn('      not run: there is no redis-server on PATH, so the Redis adapters are not tested here');
    return suite.skip();
  }
  const directory = await mkdtemp(join(tmpdir(), 'redis-'));
  const server = redisOn(program, await freePort(), directory);
  await server.start();
  return {
    ...server,
    remove: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Tally } from './tally.ts';

const SUITE = fileURLToPath(new URL('suite.ts', import.meta.url));

/**
 * Runs spec files in a process of their own. What it prints comes at once, or in one piece at the end for a lane that
 * runs beside another. A process that dies without a result counts as one failure.
 */
export const runLane = (name: string, files: readonly string[], live: boolean): Promise<Tally> =>
  new Promise((resolve) => {
    if (files.length === 0) {
      resolve({ passed: 0, skipped: 0, failures: [] });
      return;
    }
    const child = fork(SUITE, files, { stdio: live ? 'inherit' : ['ignore', 'pipe', 'pipe', 'ipc'] });
    const output: Buffer[] = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => output.push(chunk));
    let tally: Tally | undefined;
    child.on('message', (message) => {
      tally = message as Tally;
    });
    child.on('close', (code, signal) => {
      process.stdout.write(Buffer.concat(output));
      const died = `${name} ended without a result (${signal ?? code})`;
      resolve(tally ?? { passed: 0, skipped: 0, failures: [died] });
    });
  });
